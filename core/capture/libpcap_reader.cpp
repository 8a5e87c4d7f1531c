// SPDX-License-Identifier: Apache-2.0
#include "core/capture/libpcap_reader.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/capture/timestamp.hpp"

namespace nfstreamd {

namespace {

// libpcap reads from the stream through a FILE. Without a buffer glibc would ask
// for one octet at a time, 3 us a packet.
constexpr std::size_t kBufferSize = 64 * 1024;

ssize_t read_stream(void* cookie, char* to, std::size_t size) {
    auto& stream = *static_cast<InputStream*>(cookie);
    if (stream.unread().empty()) {
        switch (stream.fill_blocking()) {
            case InputStream::Fill::kError:
                errno = EIO;
                return -1;
            case InputStream::Fill::kEnd:
                return 0;
            default:
                break;
        }
    }
    const std::size_t count = std::min(size, stream.unread().size());
    std::memcpy(to, stream.unread().data(), count);
    stream.consume(count);
    return static_cast<ssize_t>(count);
}

std::FILE* open_stream(InputStream& stream, char* buffer) {
    cookie_io_functions_t functions{};
    functions.read = read_stream;
    std::FILE* file = ::fopencookie(&stream, "r", functions);
    if (file != nullptr) std::setvbuf(file, buffer, _IOFBF, kBufferSize);
    return file;
}

}  // namespace

void LibpcapReader::Close::operator()(pcap* handle) const noexcept {
    pcap_close(handle);
}

LibpcapReader::LibpcapReader(InputStream& stream, Buffer buffer, Handle handle)
    : stream_(stream),
      buffer_(std::move(buffer)),
      handle_(std::move(handle)),
      link_type_(pcap_datalink(handle_.get())) {}

// Octets that the FILE has taken from the stream and libpcap not from the FILE;
// ftello(3) knows them, too, but takes as long as a whole packet.
std::size_t LibpcapReader::buffered() const noexcept {
    const std::FILE* file = pcap_file(handle_.get());
    return static_cast<std::size_t>(file->_IO_read_end - file->_IO_read_ptr);
}

Result<std::unique_ptr<FileReader>> LibpcapReader::make(InputStream& stream) {
    auto buffer = std::make_unique_for_overwrite<char[]>(kBufferSize);
    std::FILE* file = open_stream(stream, buffer.get());
    if (file == nullptr) return Error{ErrorCode::kInternal, "out of memory", stream.name()};
    char reason[PCAP_ERRBUF_SIZE] = "";
    Handle handle(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, reason));
    if (!handle) {
        std::fclose(file);
        return Error{ErrorCode::kIo, std::string("not a readable capture: ") + reason, stream.name()};
    }
    return std::unique_ptr<FileReader>(new LibpcapReader(stream, std::move(buffer), std::move(handle)));
}

LibpcapReader::Next LibpcapReader::next() {
    problem_.offset = stream_.position() - buffered();
    pcap_pkthdr* header;
    const u_char* data;
    switch (pcap_next_ex(handle_.get(), &header, &data)) {
        case 1:
            frame_ = {to_timestamp(header->ts.tv_sec, header->ts.tv_usec), data, header->caplen, header->len};
            return Next::kFrame;
        case PCAP_ERROR_BREAK:
            return Next::kEnd;
        default:
            problem_.reason = pcap_geterr(handle_.get());
            return stream_.at_end() ? Next::kTruncated : Next::kDamaged;
    }
}

FileReader::Outcome LibpcapReader::read(std::span<RawFrame> frames, WakeEvent& wake, std::chrono::milliseconds wait) {
    batch_.clear();
    if (std::exchange(pending_, false)) batch_.add(frame_);
    while (ended_ == Next::kFrame && batch_.frames().size() < frames.size()) {
        // Only here may it wait: inside pcap_next_ex it could not be ended.
        if (!stream_.is_regular() && stream_.unread().empty() && buffered() == 0) {
            if (!batch_.empty()) break;
            if (stream_.fill(wake, wait) == InputStream::Fill::kWaiting) return {ReadState::kWaiting};
        }
        ended_ = next();
        if (ended_ == Next::kFrame && !batch_.add(frame_)) {
            pending_ = true;
            break;
        }
    }
    if (!batch_.empty()) {
        std::ranges::copy(batch_.frames(), frames.begin());
        return {ReadState::kFrames, batch_.frames().size()};
    }
    return {ended_ == Next::kEnd         ? ReadState::kEnd
            : ended_ == Next::kTruncated ? ReadState::kTruncated
                                         : ReadState::kDamaged};
}

}  // namespace nfstreamd
