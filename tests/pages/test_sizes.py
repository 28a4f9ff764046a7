import pytest

from pages import sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("5000000", 5_000_000),
        ("7B", 7),
        ("1k", 1000),
        ("64KiB", 65_536),
        ("100MiB", 100 << 20),
        ("100 MiB", 100 << 20),
        ("1.5Gi", 3 << 29),
        ("2GB", 2_000_000_000),
        ("1T", 10**12),
    ],
)
def test_a_size_is_parsed(text: str, size: int) -> None:
    assert sizes.parse(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e3", "1PiB", "1MiBs", "1 000", "1.MiB", "٣", "9" * 20])
def test_an_invalid_size_is_rejected_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="100MiB"):
        sizes.parse(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (100 << 20, "100 MiB"), (3 << 40, "3 TiB")],
)
def test_a_formatted_size_can_be_parsed_again(size: int, text: str) -> None:
    assert sizes.show(size) == text
    assert sizes.parse(text.replace(" bytes", "B")) == size
