// SPDX-License-Identifier: Apache-2.0
// to_pcapng IN OUT: the same Ethernet packets as pcapng, the format that
// nfstreamd leaves to libpcap.
#include <pcap.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Words = std::vector<std::uint32_t>;

class Writer {
public:
    explicit Writer(const char* path) : file_(std::fopen(path, "wb")), buffer_(1u << 22) {
        if (file_ == nullptr) return;
        std::setvbuf(file_, buffer_.data(), _IOFBF, buffer_.size());
        const std::uint32_t any_length = 0xffffffff;
        block(0x0a0d0d0a, {0x1a2b3c4d, 1, any_length, any_length}, nullptr, 0);  // section header
        block(1, {DLT_EN10MB, 262144}, nullptr, 0);                              // interface, microseconds
    }

    explicit operator bool() const { return file_ != nullptr; }

    void add(const pcap_pkthdr& header, const std::uint8_t* data) {  // enhanced packet block
        const auto time =
            static_cast<std::uint64_t>(header.ts.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(header.ts.tv_usec);
        const std::array<std::uint32_t, 5> words{0, static_cast<std::uint32_t>(time >> 32),
                                                 static_cast<std::uint32_t>(time), header.caplen, header.len};
        put(6, words.data(), words.size(), data, header.caplen);
    }

    bool close() { return std::fclose(file_) == 0 && !failed_; }

private:
    void block(std::uint32_t type, const Words& words, const std::uint8_t* data, std::uint32_t octets) {
        put(type, words.data(), words.size(), data, octets);
    }

    void put(std::uint32_t type, const std::uint32_t* words, std::size_t count, const std::uint8_t* data,
             std::uint32_t octets) {
        const std::uint32_t padding = (4 - octets % 4) % 4, zero = 0;
        const std::uint32_t length = 12 + static_cast<std::uint32_t>(count) * 4 + octets + padding;
        const std::uint32_t head[] = {type, length};
        write(head, sizeof head);
        write(words, count * 4);
        write(data, octets);
        write(&zero, padding);
        write(&length, sizeof length);
    }

    void write(const void* octets, std::size_t count) {
        if (count > 0) failed_ |= std::fwrite(octets, count, 1, file_) != 1;
    }

    std::FILE* const file_;
    std::vector<char> buffer_;
    bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    char error[PCAP_ERRBUF_SIZE] = "usage: to_pcapng IN OUT";
    pcap_t* capture = argc == 3 ? pcap_open_offline(argv[1], error) : nullptr;
    if (capture == nullptr || pcap_datalink(capture) != DLT_EN10MB) {
        std::fprintf(stderr, "%s\n", capture == nullptr ? error : "not Ethernet");
        return 1;
    }
    Writer out(argv[2]);
    if (!out) {
        std::perror(argv[2]);
        return 1;
    }
    pcap_pkthdr* header;
    const u_char* data;
    while (pcap_next_ex(capture, &header, &data) == 1) out.add(*header, data);
    pcap_close(capture);
    if (out.close()) return 0;
    std::perror(argv[2]);
    return 1;
}
