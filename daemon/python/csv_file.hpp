// SPDX-License-Identifier: Apache-2.0
// nfstream's CSV: texts always in quotes, numbers bare, nothing for what is
// missing. A quote inside a text is doubled, so that every reader of CSV finds
// the text again. No Python here.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/record/information_element.hpp"
#include "exporters/encode/anonymizer.hpp"

namespace nfstreamd::python {

void append_csv(std::string& out, const FieldValue& value);
void append_csv_text(std::string& out, std::string_view text);

// One file, or with `flows_per_file` a row of them: "csv" in the path becomes
// "NUMBER.csv"; with `rotate` that many, which are written anew in turn.
class CsvFile {
public:
    CsvFile(std::string path, std::uint64_t flows_per_file, std::uint64_t rotate);
    ~CsvFile();

    void set_header(std::string header) { header_ = std::move(header); }
    Status add(std::string_view row);  // a row with its end
    Status close();
    std::uint64_t rows() const noexcept { return rows_; }

private:
    Status open();
    Status failure(const std::string& path) const;
    std::string name() const;

    const std::string path_;
    const std::uint64_t flows_per_file_, rotate_;
    std::string header_;
    std::FILE* file_ = nullptr;
    std::uint64_t rows_ = 0;
};

}  // namespace nfstreamd::python
