#!/usr/bin/env bash
# Build the collection, unpack it into a scratch ansible_collections tree (ansible-test refuses links), run the checks there.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VENV:=$PWD/.venv}"
export PATH="$VENV/bin:$PATH"
# pyenv has a shim for every version it knows, and most of them only say that the version is not switched on. ansible-test compiles
# with all versions it finds and hands on none of pyenv's variables, so put the versions themselves in the place of the shims.
if command -v pyenv >/dev/null; then
  shims="$(pyenv root)/shims"
  PATH=$(tr : '\n' <<<"$PATH" | grep -vxF "$shims" | paste -s -d:):$(printf '%s\n' "$(pyenv root)"/versions/*/bin | paste -s -d:)
  export PATH
fi
"$VENV/bin/pip" install -q --disable-pip-version-check -e '.[check]'
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
ansible-galaxy collection build collection --output-path "$work" >/dev/null
mkdir -p "$work/ansible_collections/emr/cluster"
tar xzf "$work"/emr-cluster-*.tar.gz -C "$work/ansible_collections/emr/cluster"
cd "$work/ansible_collections/emr/cluster"
# The one rule of ansible-test that this collection does not keep: its licence is Apache-2.0, which Galaxy takes as well.
mkdir -p tests/sanity
core=$("$VENV/bin/python" -c 'from ansible.release import __version__ as v; print(".".join(v.split(".")[:2]))')
printf '%s validate-modules:missing-gplv3-license\n' plugins/modules/*.py plugins/inventory/*.py plugins/lookup/*.py > "tests/sanity/ignore-$core.txt"
# antsibull-changelog writes this file in a form of its own, from fragments that are checked.
printf 'exclude_paths: [changelogs/changelog.yaml]\n' > .ansible-lint
git init -q . && git add -A . # ansible-test looks only at files that git knows
# ansible-test fetches pip for its virtual environments from a host of its own; Python brings one along, so use that.
mkdir -p ~/.ansible/test/cache
cat > ~/.ansible/test/cache/get_pip_24_2.py <<'PY'
import ensurepip, subprocess, sys
ensurepip.bootstrap()
packages = [a for a in sys.argv[1:] if not a.startswith("-") and not a.startswith("pip")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *packages]) if packages else 0)
PY
status=0
echo "== ansible-test sanity"; ansible-test sanity --python default || status=1
echo "== ansible-lint (production)"; ANSIBLE_COLLECTIONS_PATH="$work" ansible-lint --profile production --offline || status=1
echo "== galaxy-importer"; (cd "$work" && python -m galaxy_importer.main "$work"/emr-cluster-*.tar.gz) || status=1
exit $status
