# What the folders share: compiler flags as interface targets, include roots, host tests.
include_guard()

option(REPRISE_SANITIZE "Build host tests with address and undefined behaviour sanitizers" OFF)

# Seconds after which a test is ended: a hang. It is longer than any test takes on the busiest host,
# since no test may fail for lack of time.
set(REPRISE_TEST_TIMEOUT 3600)
set(REPRISE_LONG_TEST_TIMEOUT 21600)

# Adds each folder that has a CMakeLists.txt and that no folder above it has added already.
function(reprise_folders)
  foreach(folder IN LISTS ARGN)
    get_property(known GLOBAL PROPERTY REPRISE_FOLDERS)
    cmake_path(GET folder PARENT_PATH parent)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt AND NOT parent IN_LIST known)
      set_property(GLOBAL APPEND PROPERTY REPRISE_FOLDERS ${folder})
      add_subdirectory(${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/${folder})
    endif()
  endforeach()
endfunction()

# reprise_includes(TARGET [INTERFACE] PATH...)
# Gives TARGET an include root in the build tree that holds only the PATHs (folders, files or
# patterns like arch/*.hpp, relative to the top), as symbolic links under their own names. An
# include of anything else does not compile. Every layer's dependencies stand in one call.
function(reprise_includes target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INTERFACE" "" "")
  set(root ${PROJECT_BINARY_DIR}/include/${target})
  file(REMOVE_RECURSE ${root})
  foreach(path IN LISTS arg_UNPARSED_ARGUMENTS)
    if(path MATCHES "[*]")
      file(GLOB found CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${path})
    else()
      set(found ${path})
    endif()
    foreach(entry IN LISTS found)
      cmake_path(GET entry PARENT_PATH parent)
      file(MAKE_DIRECTORY ${root}/${parent})
      file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${entry} ${root}/${entry} SYMBOLIC)
    endforeach()
  endforeach()
  get_target_property(type ${target} TYPE)
  if(arg_INTERFACE OR type STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} INTERFACE ${root})
  else()
    target_include_directories(${target} PRIVATE ${root})
  endif()
endfunction()

add_library(reprise_warnings INTERFACE)
target_compile_options(reprise_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wcast-align;-Wundef;-Wvla>"
  # Clang warns of a local variable with the name of a fake machine's part, too.
  "$<$<COMPILE_LANG_AND_ID:C,GNU>:-Wshadow>" "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wshadow>"
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual>)

if(REPRISE_FREESTANDING)
  # No C library, no unwinding, no runtime that the code did not bring itself.
  add_library(reprise_bare INTERFACE)
  target_link_libraries(reprise_bare INTERFACE reprise_warnings)
  # The generator expressions keep these options from NASM, which reads them as its own.
  target_compile_options(reprise_bare INTERFACE
    "$<$<COMPILE_LANGUAGE:C,CXX>:-ffreestanding;-fno-stack-protector;-fcf-protection=none>"
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fno-asynchronous-unwind-tables;-ffunction-sections>"
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fdata-sections;-fno-common>"
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit>)
  target_link_options(reprise_bare INTERFACE
    -nostdlib -static -Wl,--build-id=none -Wl,--gc-sections -Wl,-z,noexecstack -Wl,--fatal-warnings)

  # Ring 0 is linked high and is interrupted on its own stack. The compiler may not use vector
  # registers: those of the program are still in the CPU while the kernel decides. It optimizes
  # across files where it can (a cross compiler of scripts/toolchain cannot), and inlines as much as
  # -O3 does: a PE passes through many small functions of several layers.
  include(CheckIPOSupported)
  check_ipo_supported(RESULT REPRISE_LINK_TIME_OPTIMIZATION OUTPUT reason LANGUAGES CXX)
  if(REPRISE_LINK_TIME_OPTIMIZATION)
    set(link_time -flto=auto)
  endif()
  # The linker compiles, too, then.
  set(ring_0 -O3 -fno-pic -mcmodel=kernel -mno-red-zone -mgeneral-regs-only ${link_time})
  add_library(reprise_freestanding INTERFACE)
  target_link_libraries(reprise_freestanding INTERFACE reprise_bare)
  target_compile_options(reprise_freestanding INTERFACE "$<$<COMPILE_LANGUAGE:C,CXX>:${ring_0}>")
  target_link_options(reprise_freestanding INTERFACE
    ${ring_0} -no-pie -Wl,-z,max-page-size=4096 -Wl,-z,separate-code)

  # Ring 3: position independent code, so that it may be linked anywhere in the user half.
  add_library(reprise_user INTERFACE)
  target_link_libraries(reprise_user INTERFACE reprise_bare)
  target_compile_options(reprise_user INTERFACE
    "$<$<COMPILE_LANGUAGE:C,CXX>:-fpie;SHELL:-include \"${CMAKE_CURRENT_LIST_DIR}/one_image.h\">")
  target_link_options(reprise_user INTERFACE
    -no-pie -Wl,-z,max-page-size=4096 -Wl,-z,separate-code)

  # This machine's own compilers build the Linux programs of the tests, even when CC names another.
  find_program(REPRISE_HOST_CC gcc REQUIRED)
  find_program(REPRISE_HOST_CXX g++ REQUIRED)
  find_program(REPRISE_MUSL_CC musl-gcc)
endif()

if(NOT REPRISE_FREESTANDING)
  # reprise_host_test(NAME [COMPUTES] SOURCES file... [BEFORE dir...] [LIBRARIES lib...])
  # A Catch2 program. Each of its files *_test.cpp becomes one ctest test, label `host`, which
  # reports its cases one by one: a process for each case would cost more than most cases do. Paths
  # are relative to the caller or to the top. Tests may include anything; folders given as BEFORE are
  # searched first, so that a fake header stands in for the real one. Under sanitizers compiling
  # takes most of the time. So tests are not optimized, except those that COMPUTE for long, and read
  # Catch2's header from a precompiled copy.
  find_package(Catch2 REQUIRED)  # 2.13 or 3
  find_program(REPRISE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
  add_library(reprise_host INTERFACE)
  target_link_libraries(reprise_host INTERFACE reprise_warnings)
  if(REPRISE_SANITIZE)
    # The address sanitizer checks each access to memory. So the other one need not look at each
    # pointer, too, which takes half of its time: to compile, and to run.
    target_compile_options(reprise_host INTERFACE
      "$<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined;-fno-sanitize-recover=all>"
      "$<$<COMPILE_LANGUAGE:C,CXX>:-fno-sanitize=null,object-size,vptr>"
      "$<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer;-g1>")
    target_link_options(reprise_host INTERFACE -fsanitize=address,undefined)
  endif()

  # The kernel's vector operations: assembly, which each CPU runs as far as it can.
  add_library(reprise_host_vectors STATIC
    ${PROJECT_SOURCE_DIR}/arch/x86_64/fault_copy.asm
    ${PROJECT_SOURCE_DIR}/arch/x86_64/vectors.asm
    ${PROJECT_SOURCE_DIR}/arch/x86_64/vector_operations.cpp)
  target_include_directories(reprise_host_vectors PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(reprise_host_vectors PRIVATE reprise_host)

  if(REPRISE_SANITIZE)
    file(WRITE ${PROJECT_BINARY_DIR}/catch_header.cpp "")
    add_library(reprise_catch_header OBJECT ${PROJECT_BINARY_DIR}/catch_header.cpp)
    target_precompile_headers(reprise_catch_header PRIVATE ${PROJECT_SOURCE_DIR}/tests/catch.hpp)
    target_compile_options(reprise_catch_header PRIVATE -O0)
    target_link_libraries(reprise_catch_header PRIVATE reprise_host Catch2::Catch2)
  endif()

  function(reprise_host_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "COMPUTES" "" "SOURCES;BEFORE;LIBRARIES")
    set(sources)
    foreach(source IN LISTS arg_SOURCES arg_UNPARSED_ARGUMENTS)
      if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source} OR IS_ABSOLUTE ${source})
        list(APPEND sources ${source})
      else()
        list(APPEND sources ${PROJECT_SOURCE_DIR}/${source})
      endif()
    endforeach()
    add_executable(${name} ${sources})
    target_include_directories(${name} BEFORE PRIVATE ${arg_BEFORE})
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PRIVATE reprise_host Catch2::Catch2WithMain ${arg_LIBRARIES})
    if(REPRISE_SANITIZE AND NOT arg_COMPUTES)
      target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:C,CXX>:-O0>)
      target_precompile_headers(${name} REUSE_FROM reprise_catch_header)
      # Only tests read Catch2. What they test has to include all that it needs.
      set(tested ${sources})
      list(FILTER tested EXCLUDE REGEX "_test\\.cpp$")
      set_source_files_properties(${tested} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
    foreach(source IN LISTS sources)
      cmake_path(GET source STEM file)
      if(file MATCHES "_test$")
        add_test(NAME "${name}: ${file}" COMMAND ${REPRISE_PYTHON} -B
          ${PROJECT_SOURCE_DIR}/tests/run_cases.py $<TARGET_FILE:${name}> ${file}
          "${PROJECT_BINARY_DIR}/cases/${name}: ${file}.xml")
        set_tests_properties("${name}: ${file}" PROPERTIES
          LABELS host TIMEOUT ${REPRISE_TEST_TIMEOUT})
      endif()
    endforeach()
  endfunction()
endif()
