# BASH_ENV names this file, so every script of every step reads it first: a home and a temporary folder of the job's
# own, and a note of the environment that the step was given.
env -0 >>"$RIG_NOTES/$GITHUB_JOB"
export HOME=$RUNNER_TEMP/home TMPDIR=$RUNNER_TEMP/temporary
mkdir -p "$HOME" "$TMPDIR"
# What actions/setup makes, where its packages lie ready: an environment of the job's own around them, for the jobs of a
# matrix run side by side, and each runs its own checkout.
if [[ -n $RIG_READY && ! -e $RUNNER_TEMP/slipway ]]; then
  ready=$RIG_READY/slipway/environment own=$RUNNER_TEMP/slipway/environment
  packages=$(cd "$ready" && echo lib/*/site-packages)
  mkdir -p "$own/bin" "$own/$packages"
  cp -P "$ready/pyvenv.cfg" "$own" && cp -P "$ready"/bin/python* "$own/bin"
  printf '%s\n' "$GITHUB_WORKSPACE/scripts" "$GITHUB_WORKSPACE" "$ready/$packages" >"$own/$packages/slipway.pth"
  sed "1c#!$own/bin/python" "$ready/bin/slipway" >"$own/bin/slipway"
  chmod +x "$own/bin/slipway"
  touch "$RUNNER_TEMP/slipway/complete"
fi
unset BASH_ENV
