#!/usr/bin/env bash
# Build a real Kubernetes of Debian's source package, once, and print the folder that holds its programs.
#
# No package index ships a kube-apiserver, and Debian ships its source alone: 1.20.2, long out of support, good enough to
# roll out in tests. The programs stay outside of the repository. What a killed build left is never taken for a whole
# one; two builds at once wait for each other.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=1.20.2
home=${XDG_CACHE_HOME:-$HOME/.cache}/slipway-tests
made_by=$(cat "$here/build.sh" "$here/pause.go" | sha256sum | cut -c 1-8)
built=$home/kubernetes-$version-$made_by

mkdir -p "$home"
exec 9>"$home/lock"
flock 9
if [ -d "$built" ]; then
  echo "$built"
  exit
fi

work=$home/building # one build at a time: what is there was killed
rm -rf "$work"
mkdir -p "$work"
trap 'for one in $(jobs -p); do kill "$one" 2>/dev/null || true; done; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# The source comes from where this machine's packages come from, by lists of its own that are gone afterwards.
fetch_source() {
  mkdir -p sources lists cache
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if grep -qsE '^(deb |Suites:).*bookworm( |$)' "$file"; then
      sed -E 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$file" >"sources/${file##*/}"
    fi
  done
  local ours=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$PWD/sources")
  ours+=(-o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache" -o APT::Sandbox::User=root)
  apt-get update -qq "${ours[@]}"
  apt-get source -qq --download-only "${ours[@]}" kubernetes
}

# What `make` does beside compiling takes longer than all that is needed of it: the one file which is not in the source.
describe_api() {
  local tagged
  tagged=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg vendor/k8s.io/*/ | xargs -n 1 dirname |
    grep -vE '^vendor/k8s.io/(code-generator|sample-apiserver)/' | sort -u | sed 's,^,k8s.io/kubernetes/,' | paste -sd ,)
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  "$work/openapi-gen" --logtostderr -i "$tagged" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations"
}

compile() { # without the clients of clouds and of Docker, and without what debuggers read
  local package=k8s.io/kubernetes/vendor stamps="-s -w" part
  for part in client-go/pkg component-base; do
    stamps+=" -X $package/k8s.io/$part/version.gitVersion=v$version"
    stamps+=" -X $package/k8s.io/$part/version.gitMajor=1 -X $package/k8s.io/$part/version.gitMinor=20"
  done
  go build -tags providerless,dockerless -ldflags "$stamps" -o "$work/programs/" "${@/#/./cmd/}" &
  wait $! # not in the foreground, where a signal would wait for it
}

{
  cd "$work"
  fetch_source
  export GOPATH=$work/go GOCACHE=$work/compiled GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOGC=400
  mkdir -p go/src/k8s.io/kubernetes programs
  tar --extract --gzip --file kubernetes_*.orig.tar.gz --strip-components=1 --directory go/src/k8s.io/kubernetes
  go build -ldflags "-s -w" -o programs/pause "$here/pause.go"
  cd go/src/k8s.io/kubernetes
  grep -qF "$version" "$work"/kubernetes_*.dsc
  describe_api &
  describing=$!
  compile kube-proxy kube-scheduler kubelet
  wait "$describing"
  compile kube-apiserver kube-controller-manager
  cd /
  "$work/programs/kube-apiserver" --version
  mv "$work/programs" "$built"
} >&2
echo "$built"
