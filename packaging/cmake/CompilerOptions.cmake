# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and code generation for all targets.
find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-Wno-unknown-warning-option)
endif()
if(NFSTREAMD_WERROR)
    add_compile_options(-Werror)
endif()
add_compile_options(-fno-omit-frame-pointer)

# gcc 12 joins the 8-octet words of a key into 16-octet loads right after 8-octet
# stores, which stalls; the packet path measured 8 to 14 % slower with it.
add_compile_options(-fno-tree-vectorize -fno-tree-slp-vectorize)

if(NFSTREAMD_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
    add_link_options(-fsanitize=address,undefined)
elseif(NFSTREAMD_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread -Wno-error=tsan -Wno-tsan)
    add_link_options(-fsanitize=thread)
elseif(NFSTREAMD_SANITIZE)
    message(FATAL_ERROR "NFSTREAMD_SANITIZE: '${NFSTREAMD_SANITIZE}' is neither address nor thread")
endif()
