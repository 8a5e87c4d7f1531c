# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a source file that holds PACKAGE's files NAMES and those of FOLDER.
set(ARRAYS "")
set(ROWS "")
set(NUMBER 0)
function(octets_of PATH TO)
    file(READ ${PATH} HEX HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," OCTETS "${HEX}")
    string(REGEX REPLACE "(....................................................................................................)"
           "\\1\n    " OCTETS "${OCTETS}")
    set(${TO} "${OCTETS}" PARENT_SCOPE)
endfunction()
macro(embed NAME PATH)
    octets_of(${PATH} OCTETS)
    string(APPEND ARRAYS "constexpr unsigned char kFile${NUMBER}[] = {\n    ${OCTETS}0};\n")
    string(APPEND ROWS "    {\"${NAME}\", text(kFile${NUMBER})},\n")
    math(EXPR NUMBER "${NUMBER} + 1")
endmacro()

string(REPLACE "," ";" NAMES "${NAMES}")
foreach(NAME ${NAMES})
    embed(${NAME} ${PACKAGE}/${NAME})
endforeach()
embed(hosting.py ${FOLDER}/hosting.py)
octets_of(${FOLDER}/bootstrap.py OCTETS)
file(WRITE ${OUTPUT} "// Made by daemon/python/host/embed.cmake.
#include \"daemon/python/host/embedded_files.hpp\"

namespace nfstreamd::python {
namespace {

${ARRAYS}
constexpr unsigned char kBootstrap[] = {
    ${OCTETS}0};

template <std::size_t N>
std::string_view text(const unsigned char (&octets)[N]) {
    return {reinterpret_cast<const char*>(octets), N - 1};
}

const EmbeddedFile kFiles[] = {
${ROWS}};

}  // namespace

std::span<const EmbeddedFile> embedded_files() {
    return kFiles;
}

const char* bootstrap() {
    return text(kBootstrap).data();
}

}  // namespace nfstreamd::python
")
