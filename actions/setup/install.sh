# The environment of requirements/runtime.txt, and `slipway` on PATH. Every action asks for it, the first one makes it.
# Packages come from the index that the runner is set up for; what is installed is what the hashes say.
set -euo pipefail

home=$RUNNER_TEMP/slipway # emptied by the runner after each job
python=$home/environment/bin/python

if [[ ! -e $home/complete ]]; then
  if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    problem="Slipway needs Python 3.11 or later, and python3 here is $(python3 --version 2>&1 || echo missing)"
    echo "::error::$problem%0A  mend: let the job run on ubuntu-24.04, or install Python 3.11 on the runner" >&2
    exit 2
  fi
  rm -rf "$home" # what a stopped step left
  python3 -m venv "$home/tools"
  "$home/tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
  "$home/tools/bin/uv" venv --quiet --no-project --python "$home/tools/bin/python" "$home/environment"
  locked=(requirements/runtime.txt)
  # What reads a served log or labels in a bucket: the client of its store, as in the runtime image.
  for store in $(sed -nE "s/^(served_log|labels): *[\"']?(s3|gs):.*/\2/p" slipway.yaml 2>/dev/null | sort -u); do
    locked+=("requirements/serving-$store.txt")
  done
  # Spark for the watch; Java is there on GitHub's runners.
  if grep -qE '^watch_on: *["'\'']?spark' slipway.yaml 2>/dev/null; then locked+=(requirements/spark.txt); fi
  # The driver of a database that either lies in: a team's own choice.
  if [[ -e requirements/database.txt ]]; then locked+=(requirements/database.txt); fi
  "$home/tools/bin/uv" pip sync --quiet --require-hashes --python "$python" "${locked[@]}"

  # Slipway itself is run from the workspace: nothing to build, and a trace names files that a person can open.
  packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  printf '%s\n' "$PWD/scripts" "$PWD" >"$packages/slipway.pth"
  printf '#!%s\nfrom slipway.cli import main\n\nmain()\n' "$python" >"$home/environment/bin/slipway"
  chmod +x "$home/environment/bin/slipway"
  touch "$home/complete"
fi

# Signatures are made and checked by cosign, which only those need who name keys.
if grep -qE '^signing_keys: *([^ #[]|\[ *[^] ]|(#.*)?$)' slipway.yaml 2>/dev/null && ! command -v cosign >/dev/null; then
  echo "cosign=missing" >>"$GITHUB_OUTPUT"
fi

echo "$home/environment/bin" >>"$GITHUB_PATH"
