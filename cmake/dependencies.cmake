# BLAS, toml++ and the CUDA side of the build.

# CBLAS: OpenBLAS where it is, else any BLAS with cblas.h. OpenBLAS is told to stay on one thread (kernels/core/context.cpp).
find_path(ORRERY_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas openblas-pthread openblas-openmp openblas-serial REQUIRED)
find_library(ORRERY_OPENBLAS_LIBRARY openblas)
add_library(orrery_blas INTERFACE)
target_include_directories(orrery_blas SYSTEM INTERFACE ${ORRERY_CBLAS_INCLUDE})
if(ORRERY_OPENBLAS_LIBRARY)
  target_link_libraries(orrery_blas INTERFACE ${ORRERY_OPENBLAS_LIBRARY})
  target_compile_definitions(orrery_blas INTERFACE ORRERY_OPENBLAS)
else()
  find_package(BLAS REQUIRED)
  target_link_libraries(orrery_blas INTERFACE BLAS::BLAS)
endif()
add_library(orrery::blas ALIAS orrery_blas)

# LAPACKE: the spectra of mixing matrices.
find_path(ORRERY_LAPACKE_INCLUDE lapacke.h REQUIRED)
find_library(ORRERY_LAPACKE_LIBRARY lapacke REQUIRED)
add_library(orrery_lapack INTERFACE)
target_include_directories(orrery_lapack SYSTEM INTERFACE ${ORRERY_LAPACKE_INCLUDE})
target_link_libraries(orrery_lapack INTERFACE ${ORRERY_LAPACKE_LIBRARY})
add_library(orrery::lapack ALIAS orrery_lapack)

# toml++ is header-only.
find_path(ORRERY_TOMLPP_INCLUDE toml++/toml.h REQUIRED)

# libcurl and libcrypto: orrery data fetch.
if(ORRERY_FETCH)
  find_package(CURL)
  find_package(OpenSSL COMPONENTS Crypto)
  if(NOT CURL_FOUND OR NOT OPENSSL_FOUND)
    message(FATAL_ERROR "orrery data fetch needs libcurl and OpenSSL: install libcurl4-openssl-dev and libssl-dev, or configure with "
                        "-DORRERY_FETCH=OFF")
  endif()
endif()

# orrery_cuda_runtime: the CUDA runtime, cuBLAS, NVTX - the toolkit's, or the emulation's.
if(ORRERY_CUDA STREQUAL "ON")
  enable_language(CUDA)
  # CMake 3.25 does not know C++20 for nvcc
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
  find_package(CUDAToolkit REQUIRED)
  add_library(orrery_cuda_runtime INTERFACE)
  target_link_libraries(orrery_cuda_runtime INTERFACE CUDA::cudart CUDA::cublas ${CMAKE_DL_LIBS})
  target_include_directories(orrery_cuda_runtime SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_options(orrery_cuda_runtime INTERFACE
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall -lineinfo --expt-relaxed-constexpr>)
elseif(ORRERY_CUDA STREQUAL "EMULATED")
  add_subdirectory(${PROJECT_SOURCE_DIR}/tests/emulation ${PROJECT_BINARY_DIR}/tests/emulation)
  add_library(orrery_cuda_runtime INTERFACE)
  target_link_libraries(orrery_cuda_runtime INTERFACE orrery_emulation)
  target_compile_definitions(orrery_cuda_runtime INTERFACE ORRERY_EMULATED)
endif()
