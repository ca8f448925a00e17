# Build the runtime image and push it as HOST/PREFIX/runtime:TAG. TAG is made of all that goes in, files and base image,
# so what lies under it already is not built again, and no tag is moved. Prints `tag=TAG`, in a workflow as an output.
#
# BASE_IMAGE takes another base than serving/Dockerfile names. SLIPWAY_REGISTRY_USER and SLIPWAY_REGISTRY_PASSWORD are
# shown to SLIPWAY_REGISTRY_HOST alone; without them, the engine's own login counts.
set -euo pipefail

sources=(serving requirements/serving.txt requirements/serving-s3.txt requirements/serving-gs.txt requirements/sbom.txt
  scripts/slipway/__init__.py scripts/slipway/maths) # as in adapters/runtime_image.py
# A log in a bucket needs the client of its store; for one in a folder the image stays without.
store=$(sed -nE "s/^served_log: *[\"']?(s3|gs):.*/\1/p" slipway.yaml)

refuse() {
  echo "::error::$1%0A  mend: $2" >&2
  exit 2
}

docker info >/dev/null 2>&1 ||
  refuse "no container engine answers \`docker info\` here" "let the job run on ubuntu-24.04, or start Docker here"

base=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' serving/Dockerfile)}
pulled=$(docker pull --quiet "$base" 2>&1) || docker image inspect "$base" >/dev/null 2>&1 || # one that was made here
  refuse "the base image $base cannot be pulled: ${pulled//$'\n'/ }" \
    "name one that can, in the variable SLIPWAY_BASE_IMAGE"

found_base=$(docker image inspect --format '{{.Id}}' "$base")
tag=$({ git ls-tree -r HEAD -- "${sources[@]}" && echo "$found_base$store"; } | sha256sum | cut -c 1-16)
found=$(slipway --quiet find-runtime -- "$tag")
image=${found% is *}

if [[ $found == *" is missing" ]]; then
  commit=$(git log -1 --format=%H -- "${sources[@]}")
  labels=(--label "org.opencontainers.image.revision=$commit" --label "org.opencontainers.image.base.name=$base")
  labels+=(--label "org.opencontainers.image.created=$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd "$commit")")
  digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$base" | sed -n '1s/.*@//p')
  [[ -z $digest ]] || labels+=(--label "org.opencontainers.image.base.digest=$digest")
  # ghcr.io shows a package, and gives rights to it, by this one
  [[ -z ${GITHUB_REPOSITORY:-} ]] ||
    labels+=(--label "org.opencontainers.image.source=${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY")

  # Only what is committed. One image and no index, which releases are appended to; and no time but that of the commit,
  # so that BuildKit gives the same files the same digest.
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
  export SOURCE_DATE_EPOCH BUILDX_NO_DEFAULT_ATTESTATIONS=1
  git archive HEAD "${sources[@]}" |
    docker build --file serving/Dockerfile --build-arg "BASE_IMAGE=$base" --build-arg "LOG_STORE=$store" \
      "${labels[@]}" --tag "$image" -

  if [[ -n ${SLIPWAY_REGISTRY_PASSWORD:-} && $image == "${SLIPWAY_REGISTRY_HOST:-}/"* ]]; then
    trap 'docker logout "$SLIPWAY_REGISTRY_HOST" >/dev/null' EXIT
    docker login --username "$SLIPWAY_REGISTRY_USER" --password-stdin "$SLIPWAY_REGISTRY_HOST" \
      <<<"$SLIPWAY_REGISTRY_PASSWORD"
  fi
  docker push "$image"
fi

echo "tag=$tag" >>"${GITHUB_OUTPUT:-/dev/stdout}"
