// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/mmdb_file.hpp"

#include <fmt/format.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "core/enrichment/table_text.hpp"

namespace nfstreamd {
namespace {

// Of the search tree so many nodes are looked at when a file is opened.
constexpr std::size_t kNodesChecked = 100'000;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

bool write_all(int to, std::string_view octets) {
    while (!octets.empty()) {
        const ssize_t written = ::write(to, octets.data(), octets.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        octets.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool get(const MMDB_s& file, std::uint32_t record, MmdbPath path, MMDB_entry_data_s& value, int& status) {
    MMDB_entry_s start{&file, record};
    status = MMDB_aget_value(&start, &value, path);
    return status == MMDB_SUCCESS && value.has_data;
}

bool is_damage(int status) {
    return status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
}

std::string path_text(MmdbPath path) {
    std::string out;
    for (; *path != nullptr; ++path) out += (out.empty() ? "" : ".") + std::string(*path);
    return out;
}

// Walks the first nodes of the tree. "" or what is wrong.
class TreeCheck {
public:
    TreeCheck(const MMDB_s& file, MmdbPath expected) : file_(file), expected_(expected) {}

    std::string run() {
        if (file_.metadata.node_count != 0) waiting_.push_back(0);
        for (std::size_t n = 0; !waiting_.empty() && n < kNodesChecked && problem_.empty(); ++n) {
            const std::uint32_t number = waiting_.back();
            waiting_.pop_back();
            MMDB_search_node_s node;
            if (MMDB_read_node(&file_, number, &node) != MMDB_SUCCESS) return damage("search tree");
            look_at(node.right_record_type, node.right_record, node.right_record_entry.offset);
            look_at(node.left_record_type, node.left_record, node.left_record_entry.offset);
        }
        if (problem_.empty() && records_ != 0 && !found_)
            problem_ = fmt::format("its records have no {}: it is of type {}", path_text(expected_),
                                   file_.metadata.database_type);
        return problem_;
    }

private:
    static std::string damage(std::string_view where) {
        return fmt::format("is damaged: its {} leads out of the file", where);
    }

    void look_at(std::uint8_t type, std::uint64_t record, std::uint32_t offset) {
        if (type == MMDB_RECORD_TYPE_SEARCH_NODE) {
            waiting_.push_back(static_cast<std::uint32_t>(record));
        } else if (type == MMDB_RECORD_TYPE_INVALID) {
            problem_ = damage("search tree");
        } else if (type == MMDB_RECORD_TYPE_DATA) {
            ++records_;
            MMDB_entry_data_s value;
            int status;
            found_ = get(file_, offset, expected_, value, status) || found_;
            if (is_damage(status)) problem_ = fmt::format("is damaged: {}", MMDB_strerror(status));
        }
    }

    const MMDB_s& file_;
    MmdbPath expected_;
    std::vector<std::uint32_t> waiting_;
    std::size_t records_ = 0;
    bool found_ = false;
    std::string problem_;
};

}  // namespace

std::string mmdb_library_version() {
    return MMDB_lib_version();
}

struct MmdbFile::Implementation {
    MMDB_s file{};
    bool is_open = false;
    std::string type;
    std::uint64_t content = 0;

    Implementation() = default;
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;
    ~Implementation() {
        if (is_open) MMDB_close(&file);
    }

    // The library maps a file by its name; this one has no other user, whoever cuts the original short.
    Status map_copy(const std::string& text, const std::string& path) {
        const Descriptor copy(::memfd_create("mmdb", MFD_CLOEXEC));
        if (copy.number() < 0 || !write_all(copy.number(), text))
            return Error{ErrorCode::kIo, fmt::format("cannot be copied to memory: {}", std::strerror(errno)), path};
        const int status = MMDB_open(fmt::format("/proc/self/fd/{}", copy.number()).c_str(), MMDB_MODE_MMAP, &file);
        if (status == MMDB_IO_ERROR || status == MMDB_FILE_OPEN_ERROR)
            return Error{ErrorCode::kIo, fmt::format("its copy cannot be mapped: {}", std::strerror(errno)), path};
        if (status != MMDB_SUCCESS)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("is no MMDB file, or a damaged one: {}", MMDB_strerror(status)), path};
        is_open = true;
        return ok();
    }
};

Result<std::unique_ptr<const MmdbFile>> MmdbFile::open(const std::string& path, MmdbPath expected) {
    const auto text = read_text(path);
    if (!text) return text.error();
    if (text.value().empty()) return Error{ErrorCode::kInvalidArgument, "is empty", path};
    auto made = std::make_unique<Implementation>();
    if (auto mapped = made->map_copy(text.value(), path); !mapped) return mapped.error();
    made->content = nfstreamd::content_hash(text.value());
    made->type = made->file.metadata.database_type;
    if (auto problem = TreeCheck(made->file, expected).run(); !problem.empty())
        return Error{ErrorCode::kInvalidArgument, std::move(problem), path};
    return std::unique_ptr<const MmdbFile>(new MmdbFile(std::move(made)));
}

MmdbFile::MmdbFile(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
MmdbFile::~MmdbFile() = default;

MmdbFile::Outcome MmdbFile::find(const IpAddress& address, std::uint32_t& record) const noexcept {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (address.version == 4) {
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
    } else {
        if (address.version != 6 || implementation_->file.metadata.ip_version == 4) return Outcome::kNothing;
        v6.sin6_family = AF_INET6;
        std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
    }
    const auto* key =
        address.version == 4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
    int status = MMDB_SUCCESS;
    const auto result = MMDB_lookup_sockaddr(&implementation_->file, key, &status);
    if (status != MMDB_SUCCESS) return Outcome::kDamaged;
    if (!result.found_entry) return Outcome::kNothing;
    record = result.entry.offset;
    return Outcome::kRecord;
}

std::string_view MmdbFile::text(std::uint32_t record, MmdbPath path) const noexcept {
    MMDB_entry_data_s value;
    int status;
    if (!get(implementation_->file, record, path, value, status) || value.type != MMDB_DATA_TYPE_UTF8_STRING) return {};
    return {value.utf8_string, value.data_size};
}

std::uint64_t MmdbFile::number(std::uint32_t record, MmdbPath path) const noexcept {
    MMDB_entry_data_s value;
    int status;
    if (!get(implementation_->file, record, path, value, status)) return 0;
    switch (value.type) {
        case MMDB_DATA_TYPE_UINT16:
            return value.uint16;
        case MMDB_DATA_TYPE_UINT32:
            return value.uint32;
        case MMDB_DATA_TYPE_UINT64:
            return value.uint64;
        default:
            return 0;
    }
}

const std::string& MmdbFile::type() const noexcept {
    return implementation_->type;
}
std::uint64_t MmdbFile::build_epoch() const noexcept {
    return implementation_->file.metadata.build_epoch;
}
std::uint32_t MmdbFile::nodes() const noexcept {
    return implementation_->file.metadata.node_count;
}
std::uint64_t MmdbFile::content_hash() const noexcept {
    return implementation_->content;
}

}  // namespace nfstreamd
