// SPDX-License-Identifier: Apache-2.0
// Messages to a file, a pipe, or standard output ("-"). Nothing is held back:
// what send() reports as sent is in the file, and only whole messages are, so
// that it may be read while it grows. The process must ignore SIGPIPE. Belongs
// to the thread of its exporter.
#pragma once
#include <string>

#include "exporters/transport/transport.hpp"

namespace nfstreamd::exporters {

class FileTransport final : public Transport {
public:
    // Without `append` the first open() empties the file; later ones go on in it.
    FileTransport(std::string path, bool append);
    ~FileTransport() override;
    FileTransport(const FileTransport&) = delete;
    FileTransport& operator=(const FileTransport&) = delete;

    Status open(std::string_view preamble) override;
    Status send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) override;
    Status flush() override { return ok(); }
    void close() noexcept override;

    std::uint64_t octets() const noexcept override { return octets_; }
    std::string description() const override;

private:
    Status open_descriptor();
    Status inspect();
    Status begin(std::string_view preamble);
    Status check_beginning(std::string_view preamble) const;
    Status write_file(std::string_view bytes, std::size_t& written);
    Status write_stream(std::string_view bytes, std::size_t& written);
    void cut_off(std::size_t octets);
    Error failure(std::string_view what, int error) const;
    bool is_standard_output() const noexcept { return path_ == "-"; }

    const std::string path_;
    const bool append_;
    int descriptor_ = -1;
    bool opened_ = false;   // before: what is in the file now may be ours
    bool empty_ = false;    // a regular file, when it was opened
    bool regular_ = false;  // a message cut off by an error can be taken back
    bool non_blocking_ = false;
    bool began_ = false;        // the preamble is out
    bool reader_gone_ = false;  // of standard output, which cannot be opened again
    std::size_t partial_ = 0;   // octets of the next message that are out already
    std::uint64_t octets_ = 0;
};

}  // namespace nfstreamd::exporters
