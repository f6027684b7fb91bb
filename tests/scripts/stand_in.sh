#!/usr/bin/env bash
# Stands in for every tool that scripts/gpu-check calls, under the tool's name: prints what it would print on a machine with a GPU.
#   STAND_IN_SLOW=name   that tool does not come to its end      STAND_IN_FAILS=name   that tool fails, or finds a fault
tool=$(basename "$0")
here=$STAND_IN_FOLDER  # the links, and what is noted of the calls
echo "$tool $*" >>"$here/calls"
case $tool in test_kernels_*) tool=kernel_test ;; esac
fails() { [ "${STAND_IN_FAILS:-}" = "$tool" ]; }
if [ "${STAND_IN_SLOW:-}" = "$tool" ]; then
  case $tool in
    ctest) printf '    Start 1: kernels.one\n1/2 Test #1: kernels.one ......   Passed    0.25 sec\n' ;;
    orrery_bench) printf '{"context": {"device": "cuda", "copy_GB_per_s": "3000.0", "gemm_GFLOP_per_s": "50000.0"}, "benchmarks": [' ;;
  esac
  sleep 600 &
  echo "$$ $!" >"$here/slow"  # its process group, and who sleeps in it
  wait
fi

case $tool in
  nvidia-smi)
    fails && { echo "No devices were found"; exit 6; }
    echo "Stand-in GPU, 81559, 9.0, 580.00, 345, 1980, 700.00" ;;
  nvcc) echo "Cuda compilation tools, release 13.0, V13.0.88" ;;
  g++) echo "g++ (stand-in) 12.2.0" ;;
  cmake)
    if [ "$1" = --version ]; then echo "cmake version 3.25.1"; exit 0; fi
    while [ "$#" -gt 0 ]; do
      case $1 in
        -B) mkdir -p "$2" ;;
        --build)
          fails && { echo "FAILED: kernels/one.cu.o"; echo "one.cu(3): error: expected a \";\""; exit 1; }
          mkdir -p "$2/bin" "$2/bench" "$2/tests"
          ln -sf "$here/orrery" "$2/bin/orrery"
          ln -sf "$here/orrery_bench" "$2/bench/orrery_bench"
          for test in one two; do ln -sf "$here/test_kernels_$test" "$2/tests/test_kernels_$test"; done ;;
      esac
      shift
    done ;;
  orrery)
    case $1 in
      devices) echo "cpu      AMD  2 threads"; fails || echo "cuda:0   Stand-in GPU  132 multiprocessors  79.0 of 80.0 GiB free" ;;
      run)
        while [ "$1" != --out ]; do shift; done
        mkdir -p "$2"
        echo "replica,step,train_loss" >"$2/metrics.csv" ;;
    esac ;;
  ctest)
    printf '      Start 1: kernels.one\n      Start 2: kernels.two\n1/2 Test #1: kernels.one ......   Passed    0.25 sec\n'
    if fails; then
      printf '2/2 Test #2: kernels.two ......***Failed    0.10 sec\nnothing of note\ntwo_test.cpp:7: Failure\nExpected equality of these values:\n\n50%% tests passed\n'
      exit 8
    fi
    printf '2/2 Test #2: kernels.two ......   Passed    0.10 sec\n\n100%% tests passed, 0 tests failed out of 2\n' ;;
  kernel_test) printf 'Kernel.\n  Works/cuda  # GetParam() = cuda\n' ;;
  compute-sanitizer)
    [ "${STAND_IN_FAILS:-}" != device ] || echo "support.hpp:45: Skipped, no CUDA device answers here; this case was not run"
    if fails; then
      printf '========= Invalid __global__ write of size 4 bytes\n=========     at two_kernel+0x10\n========= ERROR SUMMARY: 1 error\n'
      exit 99
    fi
    case "$*" in
      *racecheck*) echo "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)" ;;
      *) echo "========= ERROR SUMMARY: 0 errors" ;;
    esac ;;
  orrery_bench)
    for argument in "$@"; do
      case $argument in
        --benchmark_filter=*) pattern=${argument#*=} ;;
        --benchmark_out=*) file=${argument#*=} ;;
      esac
    done
    {
      echo '{"context": {"device": "cuda", "copy_GB_per_s": "3000.0", "gemm_GFLOP_per_s": "50000.0"}, "benchmarks": ['
      for name in S1/round S2/round S3/round S4/round S5/round S6/round descend; do
        [[ $name =~ ${pattern} ]] || continue
        echo "{\"name\": \"$name/manual_time\", \"real_time\": 500.0, \"floor_us\": 250.0, \"share_of_copy\": 0.5, \"share_of_gemm\": 0.1},"
      done
      fails && echo '{"name": "huge/manual_time", "error_occurred": true, "error_message": "no room", "real_time": 0.0},'
      echo '{"name": "late/manual_time", "error_occurred": true, "error_message": "time is up", "real_time": 0.0}]}'
    } >"$file" ;;
  ncu)
    cat <<'END'
==PROF== Profiling "step_kernel"
"ID","Process ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"0","7","step_kernel(float *)","gpu__time_duration.sum","ns","30,000"
"0","7","step_kernel(float *)","dram__throughput.avg.pct_of_peak_sustained_elapsed","%","80.0"
"0","7","step_kernel(float *)","sm__throughput.avg.pct_of_peak_sustained_elapsed","%","20.0"
"1","7","mean_kernel(float *)","gpu__time_duration.sum","ns","10,000"
END
    ;;
  python)
    case $1 in
      -c) exit 0 ;;  # torch and jax are here
      *jax_vmap.py)
        case "$*" in
          *mlp128*) echo "out of memory"; exit 1 ;;
          *vmap\ --unroll*) echo '{"framework": "jax", "seconds_per_local_step": 0.00009, "loss_first": 2.5, "loss_last": 0.5}' ;;
          *) echo '{"framework": "jax", "seconds_per_local_step": 0.00001, "loss_first": 2.5, "loss_last": 2.5}' ;;
        esac ;;
      *torch_vmap.py) echo '{"framework": "torch", "seconds_per_local_step": 0.0001, "loss_first": 2.5, "loss_last": 0.5}' ;;
    esac ;;
esac
