// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/csv_file.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>
#include <variant>

#include "exporters/encode/number_text.hpp"

namespace nfstreamd::python {
namespace {

struct AppendCsv {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(double value) const {
        if (std::isfinite(value))
            exporters::append_float(out, value);
        else
            out += std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    void operator()(bool value) const { out += value ? "1" : "0"; }
    void operator()(std::string_view value) const { append_csv_text(out, value); }
    void operator()(const IpAddress& value) const {
        out += '"';
        append_text(out, value);
        out += '"';
    }
    void operator()(const MacAddress& value) const {
        out += '"';
        append_text(out, value);
        out += '"';
    }
    void operator()(std::span<const std::int32_t> values) const {
        out += '"';
        exporters::append_list(out, values);
        out += '"';
    }
    void operator()(const auto& integer) const { exporters::append_integer(out, integer); }
};

}  // namespace

void append_csv_text(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto quote = text.find('"', at);
        const auto end = quote == std::string_view::npos ? text.size() : quote + 1;
        out += text.substr(at, end - at);
        if (quote != std::string_view::npos) out += '"';
        at = end;
    }
    out += '"';
}

void append_csv(std::string& out, const FieldValue& value) {
    std::visit(AppendCsv{out}, value);
}

CsvFile::CsvFile(std::string path, std::uint64_t flows_per_file, std::uint64_t rotate)
    : path_(std::move(path)), flows_per_file_(flows_per_file), rotate_(rotate) {}

CsvFile::~CsvFile() {
    if (file_ != nullptr) std::fclose(file_);
}

std::string CsvFile::name() const {
    if (flows_per_file_ == 0) return path_;
    constexpr std::string_view kSuffix = "csv";
    std::uint64_t number = rows_ / flows_per_file_;
    if (rotate_ > 0) number %= rotate_;
    std::string name;
    for (std::size_t at = 0; at < path_.size();) {
        const auto found = path_.find(kSuffix, at);
        name += path_.substr(at, found == std::string::npos ? found : found - at);
        if (found == std::string::npos) break;
        name += std::to_string(number) + ".csv";
        at = found + kSuffix.size();
    }
    return name;
}

Status CsvFile::failure(const std::string& path) const {
    return Error{ErrorCode::kIo, std::string("cannot write: ") + std::strerror(errno), path};
}

Status CsvFile::open() {
    if (auto closed = close(); !closed) return closed;
    const std::string path = name();
    file_ = std::fopen(path.c_str(), "wbe");
    if (file_ == nullptr) return failure(path);
    std::setvbuf(file_, nullptr, _IOFBF, 1 << 18);
    if (std::fwrite(header_.data(), 1, header_.size(), file_) != header_.size()) return failure(path);
    return ok();
}

Status CsvFile::add(std::string_view row) {
    if (rows_ == 0 || (flows_per_file_ > 0 && rows_ % flows_per_file_ == 0))
        if (auto opened = open(); !opened) return opened;
    if (std::fwrite(row.data(), 1, row.size(), file_) != row.size()) return failure(path_);
    ++rows_;
    return ok();
}

Status CsvFile::close() {
    if (file_ == nullptr) return ok();
    if (std::fclose(std::exchange(file_, nullptr)) != 0) return failure(path_);
    return ok();
}

}  // namespace nfstreamd::python
