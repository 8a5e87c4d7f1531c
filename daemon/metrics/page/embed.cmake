# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a source file that holds the files of the page in FOLDER.
set(ARRAYS "")
set(ROWS "")
function(embed NUMBER NAME PATH TYPE)
    file(READ ${FOLDER}/${NAME} HEX HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," OCTETS "${HEX}")
    string(REGEX REPLACE "(....................................................................................................)"
           "\\1\n    " OCTETS "${OCTETS}")
    set(ARRAYS "${ARRAYS}constexpr unsigned char kFile${NUMBER}[] = {\n    ${OCTETS}\n};\n" PARENT_SCOPE)
    set(ROWS "${ROWS}    {\"${PATH}\", \"${TYPE}\", text(kFile${NUMBER})},\n" PARENT_SCOPE)
endfunction()

embed(0 index.html / "text/html; charset=utf-8")
embed(1 page.css /page.css "text/css; charset=utf-8")
embed(2 page.js /page.js "text/javascript; charset=utf-8")
file(WRITE ${OUTPUT} "// Made by daemon/metrics/page/embed.cmake.
#include \"daemon/metrics/page/page.hpp\"

namespace nfstreamd::daemon {
namespace {

${ARRAYS}
template <std::size_t N>
std::string_view text(const unsigned char (&octets)[N]) {
    return {reinterpret_cast<const char*>(octets), N};
}

const PageFile kFiles[] = {
${ROWS}};

}  // namespace

std::span<const PageFile> page_files() {
    return kFiles;
}

}  // namespace nfstreamd::daemon
")
