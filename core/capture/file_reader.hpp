// SPDX-License-Identifier: Apache-2.0
// Reads the frames of one capture file. Owned by the file source, called by its
// metering thread.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.hpp"
#include "core/base/wake_event.hpp"
#include "core/capture/input_stream.hpp"
#include "core/packet/frame.hpp"

namespace nfstreamd {

enum class ReadState {
    kFrames,     // at least one
    kWaiting,    // a pipe had nothing within the wait
    kEnd,        // of the file, after a whole record
    kTruncated,  // the file ends inside a record
    kDamaged,    // what follows cannot be read
};

struct ReadProblem {           // for kTruncated and kDamaged
    std::uint64_t offset = 0;  // of the record
    std::string reason;
};

class FileReader {
public:
    virtual ~FileReader() = default;

    // Fills `frames` (kFrameVectorSize or fewer) from its beginning; what they
    // point to is valid until the next call.
    struct Outcome {
        ReadState state;
        std::size_t count = 0;
    };
    virtual Outcome read(std::span<RawFrame> frames, WakeEvent& wake, std::chrono::milliseconds wait) = 0;

    virtual int link_type() const noexcept = 0;  // DLT_*
    virtual bool nanoseconds() const noexcept = 0;
    virtual const ReadProblem& problem() const noexcept = 0;
};

// For an open stream with either the first 24 octets of the file unread, or all
// there are. The stream must outlive the reader. The error says what libpcap
// finds wrong with the file.
Result<std::unique_ptr<FileReader>> make_file_reader(InputStream& stream);

inline constexpr std::size_t kFileHeaderSize = 24;

}  // namespace nfstreamd
