#!/usr/bin/env bash
# stage_deps_test.sh SOURCE_DIR: the staged packages are small, and CMake finds every package that the tree needs among them, not on the system.
# Exit status 77: packages do not come from Debian here, nothing to stage.
set -eu
dpkg-query -W libfmt-dev >/dev/null 2>&1 || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1/scripts/stage-deps" "$folder/staged" | grep -q 'deps.tar.gz, [0-9]* MB, revision'
[ "$(stat -c %s "$folder/staged/deps.tar.gz")" -lt 40000000 ]
[ -s "$folder/staged/revision" ]
tar xzf "$folder/staged/deps.tar.gz" -C "$folder"

cmake -C "$folder/deps/deps.cmake" --preset cpu -S "$1" -B "$folder/build" -DORRERY_FETCH=OFF -DORRERY_TESTS=ON -DORRERY_BENCH=ON \
  >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
for found in fmt_DIR nlohmann_json_DIR CLI11_DIR GTest_DIR benchmark_DIR ZLIB_INCLUDE_DIR ZLIB_LIBRARY_RELEASE ORRERY_CBLAS_INCLUDE \
  ORRERY_OPENBLAS_LIBRARY ORRERY_LAPACKE_INCLUDE ORRERY_LAPACKE_LIBRARY ORRERY_TOMLPP_INCLUDE CMAKE_MAKE_PROGRAM; do
  grep -q "^$found:[A-Z]*=$folder/deps/" "$folder/build/CMakeCache.txt" ||
    { echo "not of the staged packages: $(grep "^$found:" "$folder/build/CMakeCache.txt" || echo "$found, not found at all")"; exit 1; }
done

# a program linked against them finds them where they lie
cat >"$folder/try.cpp" <<'END'
#include <cblas.h>
#include <fmt/core.h>
#include <lapacke.h>
int main() {
  const double a[4] = {2, 0, 0, 3}, one[2] = {1, 1};
  double y[2] = {0, 0}, m[4] = {2, 0, 0, 3}, w[2];
  cblas_dgemv(CblasRowMajor, CblasNoTrans, 2, 2, 1, a, 2, one, 1, 0, y, 1);
  const int info = LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', 2, m, 2, w);
  fmt::print("{} {} {} {} {}\n", y[0], y[1], w[0], w[1], info);
}
END
flags=$(sed -n 's/^CMAKE_EXE_LINKER_FLAGS:STRING=//p' "$folder/build/CMakeCache.txt")
lib=$(dirname "$(find "$folder/deps/lib" -name libopenblas.so)")
# shellcheck disable=SC2086
g++ -std=c++20 -I "$folder/deps/include" "$folder/try.cpp" -o "$folder/try" "$lib/libfmt.so" "$lib/libopenblas.so" "$lib/liblapacke.so" $flags
[ "$("$folder/try")" = "2 3 2 3 0" ]
ldd "$folder/try" | grep -E 'fmt|blas|lapack|gfortran' | grep -qv "$folder/deps/" && { echo "a library of the system was taken"; ldd "$folder/try"; exit 1; }
echo "1 passed, 0 failed"
