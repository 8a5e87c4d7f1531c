// SPDX-License-Identifier: Apache-2.0
// Which reader a file gets: our own where it delivers exactly what libpcap would.
#include "core/capture/file_reader.hpp"

#include <pcap/pcap.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "core/capture/libpcap_reader.hpp"
#include "core/capture/pcap_file_reader.hpp"

namespace nfstreamd {

namespace {

// libpcap changes the octets of these link types, or allows them longer records.
bool left_to_libpcap(int link_type, bool swapped) noexcept {
    switch (link_type) {
        case DLT_USB_LINUX:
        case DLT_USB_LINUX_MMAPPED:
        case DLT_USBPCAP:
        case DLT_USB_DARWIN:
        case DLT_NFLOG:
        case DLT_PKTAP:
        case DLT_DBUS:
        case DLT_EBHSCR:
            return true;
        case DLT_LINUX_SLL:  // CAN headers inside are in host byte order
        case DLT_LINUX_SLL2:
        case DLT_PPI:
            return swapped;
        default:
            return false;
    }
}

// Magic and version of a file that may be ours: classic pcap 2.4.
std::optional<PcapFormat> classic_format(const std::uint8_t* header) noexcept {
    constexpr std::uint32_t kMicro = 0xa1b2c3d4, kNano = 0xa1b23c4d;
    std::uint32_t magic;
    std::uint16_t version[2];
    std::memcpy(&magic, header, sizeof magic);
    std::memcpy(version, header + 4, sizeof version);

    PcapFormat format;
    format.swapped = magic == __builtin_bswap32(kMicro) || magic == __builtin_bswap32(kNano);
    if (format.swapped) {
        magic = __builtin_bswap32(magic);
        for (auto& part : version) part = __builtin_bswap16(part);
    }
    format.nanoseconds = magic == kNano;
    if ((magic != kMicro && magic != kNano) || version[0] != 2 || version[1] != 4) return std::nullopt;
    return format;
}

}  // namespace

Result<std::unique_ptr<FileReader>> make_file_reader(InputStream& stream) {
    const auto header = stream.unread();
    if (header.size() < kFileHeaderSize) return LibpcapReader::make(stream);
    auto format = classic_format(header.data());
    if (!format) return LibpcapReader::make(stream);

    // libpcap reads the file header too: it maps link types to DLT_* values and
    // adjusts the snapshot length.
    std::uint8_t copy[kFileHeaderSize];
    std::memcpy(copy, header.data(), sizeof copy);
    std::FILE* file = ::fmemopen(copy, sizeof copy, "rb");
    if (file == nullptr) return Error{ErrorCode::kInternal, "out of memory", stream.name()};
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t* handle = pcap_fopen_offline(file, reason);
    if (handle == nullptr) {
        std::fclose(file);
        return Error{ErrorCode::kIo, std::string("not a readable capture: ") + reason, stream.name()};
    }
    format->link_type = pcap_datalink(handle);
    format->snapshot_length = static_cast<std::uint32_t>(pcap_snapshot(handle));
    pcap_close(handle);

    if (left_to_libpcap(format->link_type, format->swapped)) return LibpcapReader::make(stream);
    stream.consume(kFileHeaderSize);
    return std::unique_ptr<FileReader>(std::make_unique<PcapFileReader>(stream, *format));
}

}  // namespace nfstreamd
