"""Whatever stands in the file, it is read or explained; nothing else happens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.config.load import load_settings
from aggregator.config.models import Document, Source
from aggregator.config.problems import ConfigError
from aggregator.config.schema import settings_schema

_NAMES = sorted(
    {name for group in settings_schema()["$defs"].values() for name in group["properties"]}
    | set(Document.model_fields)
    | {"cron", "<<", "x-y", ""}
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.binary(max_size=3),
    st.text(max_size=10),
    st.sampled_from(
        ["a", "on", "30m", "https://example.org/f", "${PW}", "${file:/dev/null}", "*/5 * * * *"]
    ),
)
_trees = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
_documents = st.dictionaries(
    st.sampled_from([name for name in Document.model_fields if name != "include"]),
    st.one_of(
        _trees, st.lists(st.dictionaries(st.sampled_from(list(Source.model_fields)), _trees))
    ),
    max_size=5,
)


def read_or_explained(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_bytes(data)
        explained = None
        try:
            load_settings(path, environ={"PW": "hunter2-S3CRET"})
        except ConfigError as error:
            explained = error
        if explained is not None:
            assert explained.problems
            assert "hunter2" not in str(explained)
            assert all(problem.place.file for problem in explained.problems)


@given(_documents)
@settings(max_examples=100)
def test_any_document_is_read_or_explained(document: dict[str, Any]) -> None:
    read_or_explained(yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "replace"))


@given(st.text(alphabet=":-[]{}&*!|>'\"%@`#,? \n\tab<0$~\x00\x85\ufeff", max_size=60))
@example("%YAML 1.3\n---\na: 1")
@example("a: &x 1\n<<: *x")
@example("? [a]\n: b")
@example("service: {<<: [{name: a}, 3]}")
@settings(max_examples=200)
def test_any_text_is_read_or_explained(text: str) -> None:
    read_or_explained(text.encode())


@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf")
@example(b"a: \xff")
def test_any_bytes_are_read_or_explained(data: bytes) -> None:
    read_or_explained(data)
