// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/csv_reader.hpp"

#include <algorithm>

namespace nfstreamd {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::optional<std::vector<std::string>> CsvReader::next() {
    skip_to_record();
    if (rest_.empty()) return std::nullopt;
    line_ = next_line_;
    complaint_.clear();
    std::vector<std::string> fields;
    for (;;) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlank), rest_.size()));
        fields.push_back(rest_.starts_with('"') ? quoted_field() : plain_field());
        if (end_of_line()) return fields;
        rest_.remove_prefix(1);  // the comma
    }
}

void CsvReader::skip_to_record() {
    while (!rest_.empty()) {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        std::string_view line = rest_.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!trimmed(line).empty() && !line.starts_with('#')) return;
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        ++next_line_;
    }
}

std::string CsvReader::plain_field() {
    const auto end = std::min(rest_.find_first_of(",\n"), rest_.size());
    std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (field.ends_with('\r') && !rest_.starts_with(',')) field.remove_suffix(1);
    return std::string(trimmed(field));
}

std::string CsvReader::quoted_field() {
    std::string field;
    rest_.remove_prefix(1);
    for (;;) {
        const auto quote = std::min(rest_.find('"'), rest_.size());
        field += rest_.substr(0, quote);
        rest_.remove_prefix(quote);
        if (rest_.empty()) {
            complaint_ = "a quote that is not closed";
            break;
        }
        rest_.remove_prefix(1);
        if (!rest_.starts_with('"')) break;
        field += '"';
        rest_.remove_prefix(1);
    }
    next_line_ += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
    if (!plain_field().empty()) complaint_ = "text behind a closing quote";
    return field;
}

bool CsvReader::end_of_line() {
    if (rest_.starts_with(',')) return false;
    if (!rest_.empty()) rest_.remove_prefix(1);
    ++next_line_;
    return true;
}

}  // namespace nfstreamd
