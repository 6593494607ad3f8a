"""One document, two pages."""

import pytest

from seedbed.report.page import Block, Code, Folded, Items, Links, Section, Table, Text, as_html, as_markdown


@pytest.mark.parametrize(
    ("block", "html", "markdown"),
    [
        (Text("1 < 2 `a<b`"), "<p>1 &lt; 2 <code>a&lt;b</code></p>", "1 &lt; 2 `a<b`"),
        (Code("x 'y' <z>"), "<pre><code>x &#x27;y&#x27; &lt;z&gt;</code></pre>", "```\nx 'y' <z>\n```"),
        (Items(["a", "b"]), '<ul class="plain"><li>a</li><li>b</li></ul>', "- a\n- b"),
        (Items(["a"], warning=True), '<ul class="warning"><li>a</li></ul>', "- a"),
        (
            Folded("more <", Items(["a"])),
            '<details><summary>more &lt;</summary>\n<ul class="plain"><li>a</li></ul>\n</details>',
            "<details><summary>more &lt;</summary>\n\n- a\n\n</details>",
        ),
        (
            Links({"a.md": "what `a` is"}),
            '<ul><li><a href="a.md">a.md</a>: what <code>a</code> is</li></ul>',
            "- [a.md](a.md): what `a` is",
        ),
        (
            Table(["k"], [["a|b"], ["[1, 2]"]]),
            '<tr><td>a|b</td></tr>\n<tr><td class="number">[1, 2]</td></tr>',
            "| k |\n| --- |\n| a\\|b |\n| [1, 2] |",
        ),
    ],
)
def test_a_block_is_the_same_in_both(block: Block, html: str, markdown: str) -> None:
    sections = [Section("S & T", [block])]
    assert html in as_html("t", sections)
    assert as_markdown("t", sections) == f"# t\n\n## S &amp; T\n\n{markdown}\n"


def test_the_page_is_set_for_dark_rooms_and_for_paper() -> None:
    page = as_html("t", [])
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
