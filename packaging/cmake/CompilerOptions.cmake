# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and code generation for all targets.
find_program(CCACHE ccache)
if(CCACHE)
    # precompiled headers are cached only when ccache may trust their definitions
    set(NFSTREAMD_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${NFSTREAMD_LAUNCHER})
    set(CMAKE_C_COMPILER_LAUNCHER ${NFSTREAMD_LAUNCHER})
endif()

add_compile_options(-Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wshadow=local)
else()
    add_compile_options(-Wshadow)
endif()
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(NFSTREAMD_WERROR)
    add_compile_options(-Werror)
endif()
add_compile_options(-fno-omit-frame-pointer)

# gcc 12 joins the 8-octet words of a key into 16-octet loads right after 8-octet
# stores, which stalls; the packet path measured 8 to 14 % slower with it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fno-tree-vectorize -fno-tree-slp-vectorize)
endif()

# gcc 12 clears and copies structures of some 100 octets by "rep stos", whose
# start alone takes longer than the rest of decoding a packet.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-mmemset-strategy=vector_loop:1024:noalign,libcall:-1:noalign
                        -mmemcpy-strategy=unrolled_loop:1024:noalign,libcall:-1:noalign)
endif()

if(NFSTREAMD_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # gcc 12 loses track of what is initialised among its own checks
        add_compile_options(-Wno-maybe-uninitialized)
    endif()
elseif(NFSTREAMD_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread)
    add_link_options(-fsanitize=thread)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-error=tsan -Wno-tsan)
    endif()
elseif(NFSTREAMD_SANITIZE)
    message(FATAL_ERROR "NFSTREAMD_SANITIZE: '${NFSTREAMD_SANITIZE}' is neither address nor thread")
endif()

if(NFSTREAMD_BUILD_FUZZERS)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "NFSTREAMD_BUILD_FUZZERS needs clang: use the preset 'asan'")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
