// SPDX-License-Identifier: Apache-2.0
// Bytes to somewhere; knows nothing of flows. Format and destination are chosen
// apart: JSON lines to a file, CSV to standard output. Belongs to the thread of
// its exporter; one call lasts at most a few seconds.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class Transport {
public:
    virtual ~Transport() = default;

    // `preamble` begins each new file or stream: a CSV header. Called again after
    // a failure, with no close() between; what was sent before stays.
    virtual Status open(std::string_view preamble) = 0;

    // Message i is the part of `bytes` that ends at ends[i]. `sent` comes in as 0
    // and counts the messages that were taken as a whole, with an error too; the
    // next send must begin with the first that was not. ErrorCode::kBusy: the
    // receiver is slow, nothing is wrong.
    virtual Status send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) = 0;

    virtual Status flush() = 0;  // everything that was taken is out
    virtual void close() noexcept = 0;

    // Messages that were taken and are not out; after close(), until the next
    // open(): those that never will be.
    virtual std::size_t held() const noexcept { return 0; }

    virtual std::uint64_t octets() const noexcept = 0;  // that left so far, preambles included
    virtual std::string description() const = 0;        // any thread
};

}  // namespace nfstreamd::exporters
