# The build rules that every room shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(OCTAVO_FUZZ "build the libFuzzer targets (clang only)" OFF)

find_program(OCTAVO_CCACHE ccache)
if(OCTAVO_CCACHE)
  # What ccache asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${OCTAVO_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

add_compile_definitions(OCTAVO_VERSION="${PROJECT_VERSION}")

# Contraction of a*b+c into an fma would change rounding from one ISA file to the next: the code says fma where it wants one.
add_compile_options(-march=x86-64-v2 -ffp-contract=off -Wall -Wextra -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 sees overlapping copies in every std::string concatenation (its bug 105651).
  add_compile_options(-Wno-restrict)
endif()

# The one place where ISA flags are set: a file whose name ends in _<isa>.cpp gets that ISA's flags, no other file does.
set(OCTAVO_ISA_FLAGS_avx2       -mavx2 -mfma -mf16c)
set(OCTAVO_ISA_FLAGS_avx_vnni   -mavx2 -mfma -mf16c -mavxvnni)
set(OCTAVO_ISA_FLAGS_avx512     -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c)
set(OCTAVO_ISA_FLAGS_avx512_vnni -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx512vbmi -mavx2 -mfma -mf16c)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 warns about the undefined operands inside its own AVX-512 intrinsics (its bug 105593).
  list(APPEND OCTAVO_ISA_FLAGS_avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
  list(APPEND OCTAVO_ISA_FLAGS_avx512_vnni -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
set(OCTAVO_ISA_FLAGS_amx_int8   -mamx-tile -mamx-int8 ${OCTAVO_ISA_FLAGS_avx512_vnni})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Tuned for no CPU in particular gcc 12 keeps loop counters in vector registers, where they wait behind products: up to a
  # tenth of a convolution's time on Zen 4.
  list(APPEND OCTAVO_ISA_FLAGS_avx512_vnni -mtune=icelake-server)
endif()
# Not levels of base/isa.h but features beside them (base/cpu_feature.h).
set(OCTAVO_ISA_FLAGS_avx512_bf16 -mavx512bf16 ${OCTAVO_ISA_FLAGS_avx512_vnni})
set(OCTAVO_ISA_FLAGS_amx_bf16   -mamx-bf16 -mavx512bf16 ${OCTAVO_ISA_FLAGS_amx_int8})
# Sanitizers make these large functions slow to compile: minutes and gigabytes for one file.
if(OCTAVO_FUZZ)
  set(OCTAVO_KERNEL_FLAGS -O1 -fno-sanitize=all)  # fuzz targets read files and run no kernel
elseif(CMAKE_CXX_FLAGS MATCHES "-fsanitize" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(OCTAVO_KERNEL_FLAGS -O1 -fno-var-tracking)
endif()

function(octavo_isa_flags)
  foreach(source IN LISTS ARGN)
    foreach(isa avx2 avx_vnni avx512 avx512_vnni avx512_bf16 amx_int8 amx_bf16)
      if(source MATCHES "_${isa}\\.cpp$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
                                    "${OCTAVO_ISA_FLAGS_${isa}};${OCTAVO_KERNEL_FLAGS}")
      endif()
    endforeach()
  endforeach()
endfunction()

# Tests spend their time in the libraries: the quickest code to compile will do for TARGET. A file of several tests parses
# GoogleTest for half as long as it takes to compile; those of all targets share one precompiled copy.
function(octavo_test_options target)
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  if(NOT TARGET octavo_base_tests OR target STREQUAL octavo_base_tests)
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  else()
    target_precompile_headers(${target} REUSE_FROM octavo_base_tests)
  endif()
endfunction()

# octavo_room(NAME [COLD -Ox] LIBS ... [PRECOMPILED ...]): library octavo_NAME of src/NAME/**.cpp, and octavo_NAME_tests of
# src/NAME/**_test.cpp. COLD: scoring spends no time in the room, so Release compiles it with less than -O3, which is quicker.
# PRECOMPILED: large headers that most files of the room include.
function(octavo_room name)
  cmake_parse_arguments(ARG "" "COLD" "LIBS;PRECOMPILED" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|/main|/testing/[a-z_0-9]+)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "(_test|/testing/[a-z_0-9]+)\\.cpp$")
  octavo_isa_flags(${sources} ${tests})
  add_library(octavo_${name} STATIC ${sources})
  target_include_directories(octavo_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(octavo_${name} PUBLIC ${ARG_LIBS})
  if(ARG_COLD)
    target_compile_options(octavo_${name} PRIVATE $<$<CONFIG:Release>:${ARG_COLD}>)
  endif()
  if(ARG_PRECOMPILED)
    target_precompile_headers(octavo_${name} PRIVATE ${ARG_PRECOMPILED})
  endif()
  if(tests)
    add_executable(octavo_${name}_tests ${tests})
    target_link_libraries(octavo_${name}_tests PRIVATE octavo_${name})
    octavo_test_options(octavo_${name}_tests)
    # What tests run a kernel on is as quick as the kernel.
    set(helpers ${tests})
    list(FILTER helpers EXCLUDE REGEX "_test\\.cpp$")
    set_property(SOURCE ${helpers} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)
    set_property(SOURCE ${helpers} PROPERTY SKIP_PRECOMPILE_HEADERS ON)
    octavo_discover_tests(octavo_${name}_tests fast)
  endif()
endfunction()

# octavo_program(NAME SOURCE): a program that is no more than SOURCE and the room cli.
function(octavo_program name source)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE octavo_cli)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# octavo_model_library(NAME LIBS ...): libNAME.so of src/c_api, which needs the C library alone (docs/design/model_library.md).
# Of the libraries only what src/c_api calls is linked in; --as-needed drops those of which nothing is.
function(octavo_model_library name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/c_api/*.cpp)
  set(exports ${CMAKE_SOURCE_DIR}/src/c_api/exports.map)
  add_library(${name} SHARED ${sources})
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LINK_DEPENDS ${exports})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--as-needed -Wl,--gc-sections -Wl,-s
                      -Wl,--build-id -Wl,--version-script=${exports})
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
endfunction()

# octavo_launcher(NAME): the static program of src/launcher. It checks the CPU, so it is built for every one.
function(octavo_launcher name)
  add_executable(${name} ${CMAKE_SOURCE_DIR}/src/launcher/launcher.cpp)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_compile_options(${name} PRIVATE -march=x86-64 -fno-exceptions -fno-sanitize=all)
  target_link_options(${name} PRIVATE -static -Wl,-s -fno-sanitize=all)
endfunction()

# Registers every gtest of TARGET with ctest under LABEL. A test named *Slow* gets the label "slow" instead.
include(GoogleTest)
function(octavo_discover_tests target label)
  set(where WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${target} ${where} TEST_FILTER "-*Slow*" PROPERTIES LABELS ${label} TIMEOUT 300)
  gtest_discover_tests(${target} ${where} TEST_FILTER "*Slow*" TEST_LIST ${target}_slow
                       PROPERTIES LABELS slow TIMEOUT 1800)
endfunction()

# octavo_embed(TARGET FILE...): the files' bytes become part of TARGET, whose sources find them with the function that
# src/cli/embedded.h declares. A file is known by its name without folders.
function(octavo_embed target)
  set(OCTAVO_EMBEDDED_BYTES "")
  set(OCTAVO_EMBEDDED_ROWS "")
  set(index 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(path ${file} ABSOLUTE)
    get_filename_component(name ${file} NAME)
    string(APPEND OCTAVO_EMBEDDED_BYTES "OCTAVO_BYTES(file${index}, \"${path}\")\n")
    string(APPEND OCTAVO_EMBEDDED_ROWS "      {\"${name}\", octavo_file${index}, octavo_file${index}_end},\n")
    list(APPEND paths ${path})
    math(EXPR index "${index} + 1")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_embedded.cpp)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embedded.cpp.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${source})
endfunction()
