"""What this context refuses: one class for each reason, each with a frozen code."""

from tenor.kernel.errors import Malformed, NotFound, Refusal


class MalformedTax(Malformed):
    """A rate, a profile or an override that no customer can be taxed by."""

    code = "malformed_tax"


class InvalidTaxId(Malformed):
    """A tax id that its country cannot have issued: wrong length, letters or check digit."""

    code = "invalid_tax_id"


class MalformedTaxFile(Malformed):
    """A file of tax rates that cannot be read."""

    code = "malformed_tax_file"


class TaxNotQuoted(Refusal):
    """The tax engine has given no answer, and there are no default rates to fall back to.

    Billing without tax would be silently wrong; the documents wait until the engine answers.
    """

    code = "tax_not_quoted"


class TaxOverrideNotFound(NotFound):
    """An id that no tax override of this tenant has."""

    code = "tax_override_not_found"


class MoreThanBilled(Refusal):
    """A credit that would give back more than is left of what was billed."""

    code = "more_than_billed"
