import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.toml_lines import key_lines, line_of
from station.content.violation import Location

ODD = '''\
# comment [not.a.table]
"quoted key" = """
fake = 1
[fake]
""" # more
'literal.key' = \'\'\'
[fake]
it's'\'\'\'
a . "b.c" . d = 1979-05-27 07:32:00
array = [ # comment ]
    1, "]", [
        2, { x = 1, "y" = [3] },
    ],
]
[ table . sub ]
key = "esc \\" ] # no comment"
"\\u0061b" = {in.line = true}
[[list]]
[[list]]
key = """"quoted""""
[list.sub]
key = -0.5e3
[[list.inner]]
[[list.inner]]
key = \'\'\'\'\'\'
'''


def locations(value: object, at: Location = ()) -> Iterator[Location]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*at, key)
            yield from locations(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield (*at, index)
            yield from locations(inner, (*at, index))


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("quoted key",), 2),
        (("literal.key",), 6),
        (("a", "b.c", "d"), 9),
        (("array",), 10),
        (("array", 1), 11),
        (("array", 2, 1, "y", 0), 12),
        (("table", "sub"), 15),
        (("table", "sub", "key"), 16),
        (("table", "sub", "ab", "in", "line"), 17),
        (("list",), 18),
        (("list", 0), 18),
        (("list", 1), 19),
        (("list", 1, "key"), 20),
        (("list", 1, "sub", "key"), 22),
        (("list", 1, "inner", 1), 24),
        (("list", 1, "inner", 1, "key"), 25),
    ],
)
def test_odd_toml_is_found_on_its_line(location: Location, line: int) -> None:
    assert key_lines(ODD)[location] == line


def test_every_key_that_tomllib_reads_has_a_line() -> None:
    lines = key_lines(ODD)
    # A table that only a longer header implies has none of its own: its first child tells it.
    told = {location[:length] for location in lines for length in range(1, len(location) + 1)}

    assert set(locations(tomllib.loads(ODD))) <= told
    assert set(lines) <= set(locations(tomllib.loads(ODD)))


def test_line_ends_of_windows_count_once() -> None:
    assert key_lines("a = 1\r\n\r\nb = 2\r\n") == {("a",): 1, ("b",): 3}


def test_what_is_missing_is_told_at_the_table_around_it() -> None:
    lines = key_lines("a = 1\n[b]\nc = 1\n")

    assert line_of(lines, ("b", "d")) == 2
    assert line_of(lines, ("e",)) == 1


keys = st.text(st.sampled_from("ab-_1"), min_size=1, max_size=3)
strings = st.sampled_from(['"x"', "'y'", '"""\n]\n"""', "'''\n#\n'''", '"\\""', '""', "''"])
scalars = strings | st.sampled_from(["1", "true", "1.5", "1979-05-27", "07:32:00", "0xff"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(
        lambda items: "[ # ]\n" + ",\n".join(items) + "\n]"
    ),
    max_leaves=5,
)


@given(st.dictionaries(keys, values, max_size=4), st.dictionaries(keys, values, max_size=4))
def test_each_key_stands_on_the_line_told(top: dict[str, str], inner: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in top.items())
    text += "".join(
        f"[[table]]\n{key} = {value}\n" if key != "table" else "" for key, value in inner.items()
    )
    document = tomllib.loads(text)
    lines = key_lines(text)

    assert set(lines) == set(locations(document))
    for location, line in lines.items():
        if isinstance(location[-1], str):
            assert text.split("\n")[line - 1].strip("[").startswith(location[-1])


@given(st.text(st.sampled_from("ab=[]{}\"'.,#\n1 \\"), max_size=30))
def test_whatever_tomllib_reads_is_located(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert set(key_lines(text)) <= set(locations(document))
