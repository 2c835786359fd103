# The compiler for code that runs without an operating system: x86_64-elf-gcc from the PATH, else
# from the cache that scripts/toolchain fills, else this system's own GCC told to be freestanding.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

if(DEFINED ENV{REPRISE_TOOLCHAIN})
  set(reprise_toolchain $ENV{REPRISE_TOOLCHAIN})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(reprise_toolchain $ENV{XDG_CACHE_HOME}/reprise/toolchain)
else()
  set(reprise_toolchain $ENV{HOME}/.cache/reprise/toolchain)
endif()

find_program(REPRISE_CROSS_CXX x86_64-elf-g++ HINTS ${reprise_toolchain}/bin)
if(REPRISE_CROSS_CXX)
  string(REGEX REPLACE "g\\+\\+$" "" reprise_prefix ${REPRISE_CROSS_CXX})
  set(CMAKE_C_COMPILER ${reprise_prefix}gcc)
  set(CMAKE_CXX_COMPILER ${REPRISE_CROSS_CXX})
else()
  find_program(REPRISE_SYSTEM_CC gcc REQUIRED)
  find_program(REPRISE_SYSTEM_CXX g++ REQUIRED)
  set(CMAKE_C_COMPILER ${REPRISE_SYSTEM_CC})
  set(CMAKE_CXX_COMPILER ${REPRISE_SYSTEM_CXX})
endif()

set(CMAKE_ASM_NASM_OBJECT_FORMAT elf64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # there is nothing to link a program with
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(REPRISE_FREESTANDING ON)
