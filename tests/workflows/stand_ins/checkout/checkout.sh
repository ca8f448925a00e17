# The workspace of one job: files travel between jobs as artifacts alone, so what other jobs left is taken away first.
set -euo pipefail
[[ $KEEPS == false ]] || { echo "credentials would be kept" >&2 && exit 1; }
own=$(dirname "$GITHUB_WORKSPACE")
find "$(dirname "$own")" -mindepth 1 -maxdepth 1 ! -path "$own" ! -name 'tool_cache' -exec rm -rf {} +

git init --quiet --initial-branch=main "$TO"
cd "$TO"
git remote add origin "$RIG_ORIGIN"
if [[ $DEPTH == 0 ]]; then
  git fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*'
  depth=()
else
  depth=(--depth "$DEPTH")
fi
git fetch --quiet "${depth[@]}" "file://$RIG_ORIGIN" "${REF:-$RIG_REF}"
git checkout --quiet --force --detach FETCH_HEAD
