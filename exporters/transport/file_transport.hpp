// SPDX-License-Identifier: Apache-2.0
// Messages to a file, a pipe, or standard output ("-"). Without compression
// nothing is held back: what send() reports as sent is in the file, and only
// whole messages are, so that it may be read while it grows. Compressed,
// messages are held until a block of them is full or flush() is called. A file
// that was moved away or removed is begun anew. Belongs to the thread of its
// exporter.
#pragma once
#include <memory>
#include <string>

#include "exporters/transport/compressor.hpp"
#include "exporters/transport/output_file.hpp"
#include "exporters/transport/transport.hpp"

namespace nfstreamd::exporters {

class FileTransport final : public Transport {
public:
    // Without `append` the first open() empties the file; later ones go on in it.
    // A compressed file is not appended to. `compressor` may be null.
    FileTransport(std::string path, bool append, std::unique_ptr<Compressor> compressor = nullptr);
    ~FileTransport() override;
    FileTransport(const FileTransport&) = delete;
    FileTransport& operator=(const FileTransport&) = delete;

    Status open(std::string_view preamble) override;
    Status send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) override;
    Status flush() override;
    void close() noexcept override;

    // Everything is out, and a compressed stream complete; close() follows.
    Status finish();

    std::size_t held() const noexcept override { return held_messages_; }
    std::uint64_t octets() const noexcept override { return octets_; }
    std::string description() const override { return file_.description(); }

    bool is_open() const noexcept { return file_.is_open(); }
    std::uint64_t size() const noexcept { return file_.size(); }  // of the file, what is held not included
    bool replaced() const noexcept { return file_.replaced(); }
    // In the file, held ones included; those of an earlier run count as one.
    std::uint64_t messages() const noexcept { return messages_; }

private:
    Status begin();
    Status take_on();
    Status begin_stream();
    Status put_preamble();
    Status end_torn_line();
    Status reopen();
    Status hold(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent);
    Status write_out(Compressor::Then then);
    Status pack(Compressor::Then then);

    OutputFile file_;
    const std::string path_;
    const bool append_;
    const std::unique_ptr<Compressor> compressor_;
    std::string preamble_;
    bool opened_ = false;      // before: what is in the file now may be ours
    bool ours_ = false;        // it has our preamble
    bool taken_on_ = false;    // an earlier run has written to it, nobody since
    bool began_ = false;       // the preamble is out, to standard output
    std::size_t partial_ = 0;  // octets of the next message, or of packed_, that are out already
    std::uint64_t octets_ = 0, messages_ = 0;

    // compression
    std::string held_;               // messages that are not out yet
    std::size_t held_messages_ = 0;  // after close(): those that were lost
    std::string packed_;             // all of held_ and what follows, compressed; empty: not yet
    Compressor::Then packed_then_ = Compressor::Then::kFlush;
    bool stream_begun_ = false, preamble_due_ = false;
    std::uint64_t end_ = 0;  // of the file as we left it
};

}  // namespace nfstreamd::exporters
