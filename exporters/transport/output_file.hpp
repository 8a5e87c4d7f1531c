// SPDX-License-Identifier: Apache-2.0
// A descriptor to write to: a file, a named pipe, or standard output ("-"). What
// is behind a path may be moved away, removed or replaced while it is written;
// the owner asks, and opens again. The process must ignore SIGPIPE. Belongs to
// the thread of its exporter.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class OutputFile {
public:
    using Clock = std::chrono::steady_clock;

    explicit OutputFile(std::string path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // Made if missing; `empty` takes away what is in it. A named pipe without a
    // reader is an error to try again after, not a thread that hangs.
    Status open(bool empty);
    void close() noexcept;

    // `written` counts on from what it comes in as. A pipe that takes nothing for
    // half a second, or has not taken all at the deadline, is ErrorCode::kBusy.
    Status write(std::string_view bytes, std::size_t& written, Clock::time_point deadline);

    // Takes back the last octets of a regular file; false: they are still there.
    bool cut_off(std::size_t octets) noexcept;

    bool is_open() const noexcept { return descriptor_ >= 0; }
    bool is_standard_output() const noexcept { return path_ == "-"; }
    bool regular() const noexcept { return regular_; }
    std::uint64_t size() const noexcept { return size_; }  // of a regular file, as far as we know
    bool is_former() const noexcept { return former_; }    // open() found what it had open before
    bool removed() const noexcept;                         // no name leads to it any more
    bool replaced() const noexcept;                        // its path leads elsewhere, or nowhere
    std::string description() const;                       // any thread
    Error failure(std::string_view what, int error) const;

private:
    Status inspect();
    Status write_file(std::string_view bytes, std::size_t& written);
    Status write_stream(std::string_view bytes, std::size_t& written, Clock::time_point deadline);

    const std::string path_;
    int descriptor_ = -1;
    bool regular_ = false, non_blocking_ = false, former_ = false;
    bool reader_gone_ = false;  // of standard output, which cannot be opened again
    std::uint64_t size_ = 0, device_ = 0, inode_ = 0;
};

// Whether a regular file exists at the path and begins with the text.
Result<bool> begins_with(const std::string& path, std::string_view text);

// Whether the last line of a regular file at the path is whole; of anything else there is nothing to say.
bool ends_with_a_line(const std::string& path);

// What errno says, as a kind of error.
ErrorCode error_code(int error);

}  // namespace nfstreamd::exporters
