"""A hook of MkDocs (mkdocs.yml): pages of the site that lie at the repository's root."""
from __future__ import annotations

from pathlib import Path

ROOT_PAGES = {"architecture.md": "ARCHITECTURE.md", "contributing.md": "CONTRIBUTING.md"}


def on_files(files, config):
    """Add the pages, with links as they are in docs/."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    for name, source in ROOT_PAGES.items():
        text = (root / source).read_text(encoding="utf-8").replace("](docs/", "](")
        for page, there in ROOT_PAGES.items():
            text = text.replace(f"]({there}", f"]({page}")
        files.append(File.generated(config, name, content=text))
    return files
