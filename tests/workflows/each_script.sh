# BASH_ENV names this file, so every script of every step reads it first: a home and a temporary folder of the job's
# own, and a note of the environment that the step was given.
env -0 >>"$RIG_NOTES/$GITHUB_JOB"
export HOME=$RUNNER_TEMP/home TMPDIR=$RUNNER_TEMP/temporary
mkdir -p "$HOME" "$TMPDIR"
# What actions/setup makes, where it lies ready: it is found made, and runs the checkout of this job as ever.
if [[ -n $RIG_READY && ! -e $RUNNER_TEMP/slipway ]]; then
  ln -s "$RIG_READY/slipway" "$RUNNER_TEMP/slipway"
  printf '%s\n' "$GITHUB_WORKSPACE/scripts" "$GITHUB_WORKSPACE" >"$RIG_READY/slipway/packages/slipway.pth"
fi
unset BASH_ENV
