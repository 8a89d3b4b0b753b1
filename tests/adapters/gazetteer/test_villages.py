"""Villages from a file."""

import pytest

from adapters.gazetteer import GazetteerError, read_villages


def test_a_file_with_a_byte_order_mark_and_further_columns_is_read() -> None:
    content = "\ufeffcode12,name,note\r\n330602001004,花园社区,x\r\n".encode()
    assert read_villages(content) == {"330602001004": "花园社区"}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a,b\n", ("The head line has no column code12.", "The head line has no column name.")),
        ("", ("The head line has no column code12.", "The head line has no column name.")),
        (
            "code12,name\n330602001004,a\n330602001004,b\n330602001,c\n330602001005\n330602001000,e\n",
            (
                "Line 3: the code 330602001004 comes twice.",
                "Line 4: '330602001' is no village's code of 12 digits.",
                "Line 5: the village 330602001005 has no name.",
                "Line 6: '330602001000' is no village's code of 12 digits.",
            ),
        ),
    ],
)
def test_everything_wrong_is_told_by_line(text: str, problems: tuple[str, ...]) -> None:
    with pytest.raises(GazetteerError) as caught:
        read_villages(text.encode())
    assert caught.value.problems == problems


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(GazetteerError, match="UTF-8"):
        read_villages("code12,name\n330602001004,花园\n".encode("gb18030"))
