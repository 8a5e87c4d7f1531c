// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/number_text.hpp"

#include <cassert>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>

namespace nfstreamd::exporters {
namespace {

template <class Integer>
void append(std::string& out, Integer value) {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

struct AppendPythonText {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(double value) const {
        if (std::isfinite(value))
            append_float(out, value);
        else
            out += std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    void operator()(bool value) const { out += value ? "True" : "False"; }
    void operator()(std::string_view value) const { out += value; }
    void operator()(const IpAddress& value) const { append_text(out, value); }
    void operator()(const MacAddress& value) const { append_text(out, value); }
    void operator()(std::span<const std::int32_t> values) const { append_list(out, values); }
    void operator()(const auto& integer) const { append_integer(out, integer); }
};

}  // namespace

void append_integer(std::string& out, std::int64_t value) {
    append(out, value);
}
void append_integer(std::string& out, std::uint64_t value) {
    append(out, value);
}

void append_integer(std::string& out, const Unsigned128& value) {
    __extension__ using Wide = unsigned __int128;
    Wide rest = Wide{value.high} << 64 | value.low;
    char text[40];  // 39 digits at most
    char* at = std::end(text);
    do {
        *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    } while (rest != 0);
    out.append(at, std::end(text));
}

void append_float(std::string& out, double value) {
    assert(std::isfinite(value));
    const double size = std::fabs(value);
    const bool exponent = size != 0 && (size < 1e-4 || size >= 1e16);
    char text[32];  // 17 digits, sign, point, four zeros; exponent form: e-308
    const auto end = std::to_chars(text, text + sizeof text, value,
                                   exponent ? std::chars_format::scientific : std::chars_format::fixed)
                         .ptr;
    out.append(text, end);
    if (!exponent && std::string_view(text, end).find('.') == std::string_view::npos) out += ".0";
}

void append_list(std::string& out, std::span<const std::int32_t> values) {
    out += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i != 0) out += ", ";
        append(out, values[i]);
    }
    out += ']';
}

void append_python_text(std::string& out, const FieldValue& value) {
    std::visit(AppendPythonText{out}, value);
}

}  // namespace nfstreamd::exporters
