# The workspace of one job: files travel between jobs as artifacts alone, so what other jobs left is taken away first.
# The jobs of one matrix run side by side in act, and leave each other alone.
set -euo pipefail
[[ $KEEPS == false ]] || { echo "credentials would be kept" >&2 && exit 1; }
own=$(dirname "$GITHUB_WORKSPACE")
echo "$GITHUB_JOB" >"$own/job"
for other in "$(dirname "$own")"/*/job; do
  [[ $(<"$other") == "$GITHUB_JOB" ]] || rm -rf "$(dirname "$other")"
done

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
