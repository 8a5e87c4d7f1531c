// SPDX-License-Identifier: Apache-2.0
// Records of comma-separated values (RFC 4180), line ends of either kind.
// Borrows the text. Any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd {

class CsvReader {
public:
    explicit CsvReader(std::string_view text) : rest_(text) {}

    // The fields of the next record; nothing at the end. Empty lines, and those that begin with '#', are passed over.
    // Spaces around a field that is not quoted are no part of it.
    std::optional<std::vector<std::string>> next();

    std::size_t line() const { return line_; }  // where the last record began
    // Of the last record: "" or what is wrong with its quotes.
    const std::string& complaint() const { return complaint_; }

private:
    std::string quoted_field();
    std::string plain_field();
    void skip_to_record();
    bool end_of_line();  // takes it

    std::string_view rest_;
    std::size_t line_ = 0, next_line_ = 1;
    std::string complaint_;
};

}  // namespace nfstreamd
