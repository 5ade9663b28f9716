import pytest

from verifier.roster import COMPARED, MOST_ROWS, ROW_VERDICTS, NotARoster, read, row, same_name
from verifier.verdict import VERDICTS

GOOD = "IFS-7K3MQ9TD"


def rows(text, encoding="utf-8"):
    return [(one.row, one.text, one.name) for one in read(text.encode(encoding))]


@pytest.mark.parametrize(
    "text",
    [
        f"number,name\n{GOOD},Ada Byron\n",
        f"Name;Endorsement Number\r\nAda Byron;{GOOD}\r\n",
        f"First Name\tLast Name\tDepartment\tnumber\nAda\tByron\tWard 3\t{GOOD}\n",
        f"número,nombre\n{GOOD},Ada Byron\n",
        f'NUMBER,NAME,,\n\n{GOOD},"Ada Byron",,\n',
    ],
)
def test_the_first_row_names_the_columns_in_many_ways(text):
    assert [(one[1], one[2]) for one in rows(text)] == [(GOOD, "Ada Byron")]


def test_two_columns_need_no_header():
    assert rows(f"{GOOD},Ada Byron\nAda Byron,{GOOD}\n")[0] == (1, GOOD, "Ada Byron")
    assert rows(f"Ada Byron\t{GOOD}\n") == [(1, GOOD, "Ada Byron")]


def test_a_byte_order_mark_is_no_letter():
    assert rows(f"number,name\n{GOOD},Ada Byron", "utf-8-sig") == [(2, GOOD, "Ada Byron")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "There is no row"),
        (b"number,name\n", "There is no row"),
        (b"number,name\nIFS-7K3MQ9TD,Ada\n" * 2 + b"IFS-7K3MQ9TD,By\0ron\n", "Row 5, column 2 holds a NUL"),
        ("number,name\nIFS-7K3MQ9TD,Ada".encode("utf-16"), "UTF-16"),
        (b"number,name\nIFS-7K3MQ9TD,Jos\xe9\n", "Row 2 is not in UTF-8"),
        (b"number,name\nIFS-7K3MQ9TD,Byron, Ada\n", "Row 2 has 3 columns, not 2. Put quotes"),
        (b"IFS-7K3MQ9TD,Byron, Ada\n", "Row 1 has 3 columns and no names"),
        (b"person,place\nAda,London\n", "Row 1 names no columns. Begin with a row that says: number, name"),
        (b"number,place\nIFS-7K3MQ9TD,London\n", "Row 1 names no column name"),
        (b"number,qr,name\n", "columns 1 and 2 are both the number"),
        (b'number,name\nIFS-7K3MQ9TD,"Ada\n', "this is no CSV file"),
        (b'number,name\nIFS-7K3MQ9TD,"' + b"x" * 200_000 + b'"\n', "After row 1 this is no CSV file"),
        (b"number,name\n" + b"," * 1_000_000 + b"x\n", "Row 2 has 1,000,001 columns"),
        (b"x" * (13 << 20), "larger than 12 MB"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_roster_says_where_and_what_to_do(content, said):
    with pytest.raises(NotARoster) as refused:
        read(content)
    assert said in str(refused.value)


def test_five_thousand_rows_are_read_and_one_more_is_not():
    lines = [f"{GOOD},Ada Byron" for _ in range(MOST_ROWS)]

    assert len(read("\n".join(["number,name", *lines]).encode())) == MOST_ROWS
    with pytest.raises(NotARoster, match=r"Row 5,002 is one too many"):
        read("\n".join(["number,name", *lines, lines[0]]).encode())


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "Ada", "Column number: it is empty"),
        (GOOD, " ", "Column name: it is empty"),
        ("=1+1", "Ada", "Column number: it begins with = like a formula"),
        (GOOD, "@SUM(A1)", "Column name: it begins with @ like a formula"),
        (GOOD, "A" * 201, "Column name: it has 201 characters"),
        (GOOD, "Ada\u202eByron", "cannot be seen"),
        ("https://registry.example/v1#12 34", "Ada", "not the text of a code"),
        ("I" * 41, "Ada", "longer than any number"),
    ],
)
def test_a_row_that_cannot_be_looked_at_says_which_column_and_what_to_do(text, name, said):
    assert said in row(7, text, name).wrong


def test_a_guarded_cell_is_read_as_it_was_meant():
    assert row(1, "'-IFS", "'Ada").name == "'Ada"
    assert row(1, "'=x", "Ada").text == "=x"


@pytest.mark.parametrize(
    ("given", "known", "same"),
    [
        ("Marisol Fernández-Okafor", "Marisol Fernández-Okafor", True),
        ("MARISOL FERNANDEZ OKAFOR", "Marisol Fernández-Okafor", True),
        ("Fernández-Okafor, Marisol", "Marisol Fernández-Okafor", True),
        ("Siobhan O'Dowd", "Siobhán O’Dowd", True),
        ("Sorensen", "Sørensen", True),
        ("Jose\u0301", "José", True),
        ("王 芳", "王 芳", True),
        ("Marisol", "Marisol Fernández-Okafor", False),
        ("M. Fernández-Okafor", "Marisol Fernández-Okafor", False),
        ("Okafor Marisol", "Marisol Okafor", False),
        ("Marisol Q. Okafor", "Marisol Okafor", False),
        ("", "", False),
        ("-", "…", False),
        ("Wolfeschlegelsteinhausen Bergerdorff", "Wolfeschlegelsteinhausen…", True),
    ],
)
def test_names_are_the_same_by_their_words_and_nothing_is_guessed(given, known, same):
    assert same_name(given, known) is same


def test_every_verdict_of_a_certificate_is_one_of_a_row_too_and_all_have_both_languages():
    assert VERDICTS.keys() <= ROW_VERDICTS.keys()
    assert {name for name, one in ROW_VERDICTS.items() if one.good} == {"valid", "in_force"}
    assert all(all(one.words(lang)) for one in ROW_VERDICTS.values() for lang in ("en", "es"))
    assert COMPARED.keys() == {"en", "es"}
