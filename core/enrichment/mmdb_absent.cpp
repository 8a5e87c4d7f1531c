// SPDX-License-Identifier: Apache-2.0
// In place of mmdb_file.cpp in a build without libmaxminddb: no file can be opened.
#include "core/enrichment/mmdb_file.hpp"

namespace nfstreamd {

std::string mmdb_library_version() {
    return "not built in";
}

struct MmdbFile::Implementation {
    std::string type;
};

Result<std::unique_ptr<const MmdbFile>> MmdbFile::open(const std::string& path, MmdbPath) {
    return Error{ErrorCode::kInvalidArgument, "cannot be read: this program was built without libmaxminddb", path};
}

MmdbFile::MmdbFile(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
MmdbFile::~MmdbFile() = default;

MmdbFile::Outcome MmdbFile::find(const IpAddress&, std::uint32_t&) const noexcept {
    return Outcome::kNothing;
}
std::string_view MmdbFile::text(std::uint32_t, MmdbPath) const noexcept {
    return {};
}
std::uint64_t MmdbFile::number(std::uint32_t, MmdbPath) const noexcept {
    return 0;
}
const std::string& MmdbFile::type() const noexcept {
    return implementation_->type;
}
std::uint64_t MmdbFile::build_epoch() const noexcept {
    return 0;
}
std::uint32_t MmdbFile::nodes() const noexcept {
    return 0;
}
std::uint64_t MmdbFile::content_hash() const noexcept {
    return 0;
}

}  // namespace nfstreamd
