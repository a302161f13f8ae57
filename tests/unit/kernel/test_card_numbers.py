"""What looks like a card number is found in any text, and other numbers are left alone."""

import pytest

from tenor.kernel.card_numbers import holds_card_number

# The numbers that card networks and gateways publish for tests; their check digits are right by ISO/IEC 7812.
PUBLISHED = ["4242424242424242", "5555555555554444", "378282246310005", "6011111111111117", "3056930009020004",
             "6205500000000000004", "2223003122003222", "4000 0566 5566 5556", "5105-1051-0510-5100"]  # fmt: skip


@pytest.mark.parametrize("number", PUBLISHED)
def test_a_card_number_is_found_alone_and_in_a_sentence(number: str) -> None:
    assert holds_card_number(number)
    assert holds_card_number(f"please charge {number}, it is mine")


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111 12/27 123",  # with its expiry date and code
        "20 4111111111111111",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111\u00a01111\u00a01111\u00a01111",  # spaces that do not break
        "4111\u20111111\u20111111\u20111111",  # hyphens that do not break
        "\uff14\uff11\uff11\uff11" + "\uff11" * 12,  # digits as wide as a Chinese letter
        "4111111111111111@example.org",
        "1234 4111 1111 1111 1111 5678",
        "first 378282246310005, then nothing",
    ],
)
def test_a_card_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_card_number(text)


def test_a_long_row_of_digits_costs_little() -> None:
    assert not holds_card_number("411 " * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1763651234567890",  # microseconds since 1970
        "DE89 3704 0044 0532 0130 00 and DE12 4111 1111 1111 1111",  # IBANs
        "c4111111111111111",  # a letter makes a name of it
        "192.168.100.200, 2026.11.20",
        "49 170 1234 567, 49 170 1234 568",
        "4242424242424241",  # 4242424242424242 is the one with the right check digit
        "01940000-7000-4000-8000-424242424242",
        "sub_4242424242424242",  # an id of ours
        "1234567890123452",  # right by Luhn (checked by hand below), but no network begins with 1
        "424242424242",  # too short
        "42424242424242424242",  # too long
        "+49 170 1234567",
        "DE89 3704 0044 0532 0130 00",
        "2026-11-20 12:00:00",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    # 1234567890123452: doubled from the right but one: 5→1, 3→6, 1→2, 9→9, 7→5, 5→1, 3→6, 1→2 = 32;
    # the others 2+4+2+0+8+6+4+2 = 28; 60 is a multiple of ten.
    assert not holds_card_number(text)
