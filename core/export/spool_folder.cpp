// SPDX-License-Identifier: Apache-2.0
#include "core/export/spool_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/base/crc32c.hpp"

namespace nfstreamd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSegmentSuffix = ".spool", kForeignSuffix = ".foreign";
constexpr std::size_t kDigits = 16;
// No spool comes so far; what says so is not ours, and numbers may go on from any that is.
constexpr std::uint64_t kLastNumber = std::uint64_t{1} << 62;
constexpr mode_t kFolderMode = 0750, kFileMode = 0640;

std::string escaped(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '-' || (c == '.' && !out.empty());
        out += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

Error failure(std::string_view what, int error, const std::string& path) {
    const auto code = error == EACCES || error == EPERM || error == EROFS ? ErrorCode::kPermission : ErrorCode::kIo;
    return {code, fmt::format("{}: {}", what, std::generic_category().message(error)), path};
}

Status make_folders(const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), kFolderMode) != 0 && errno != EEXIST && !fs::is_directory(part))
            return failure("cannot make the folder", errno, part);
        if (end == std::string::npos) return ok();
    }
}

std::optional<std::uint64_t> number_of(const std::string& file) {
    if (file.size() != kDigits + kSegmentSuffix.size() || !file.ends_with(kSegmentSuffix)) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(file.data(), file.data() + kDigits, number, 16);
    if (error != std::errc() || end != file.data() + kDigits || number > kLastNumber) return std::nullopt;
    // as it is written: another spelling is another file
    return file == fmt::format("{:016x}{}", number, kSegmentSuffix) ? std::optional(number) : std::nullopt;
}

// By what process the lock is held, as it says; 0: it does not.
pid_t holder(int lock) {
    char text[16] = {};
    pid_t process = 0;
    if (const auto size = ::pread(lock, text, sizeof text, 0); size > 0) std::from_chars(text, text + size, process);
    return process;
}

}  // namespace

SpoolFolder::SpoolFolder(const std::string& directory, std::string_view name)
    : path_(directory + (directory.ends_with('/') ? "" : "/") + escaped(name)) {}

SpoolFolder::~SpoolFolder() {
    close();
}

Result<int> SpoolFolder::take_lock() const {
    if (auto made = make_folders(path_); !made) return made.error();
    const std::string file = path_ + "/lock";
    const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
    if (lock < 0) return failure("cannot write", errno, file);
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    const int error = errno;
    const pid_t process = holder(lock);
    ::close(lock);
    if (error != EWOULDBLOCK) return failure("cannot lock", error, file);
    if (process == ::getpid()) return Error{ErrorCode::kBusy, "in use by another exporter", path_};
    return Error{ErrorCode::kUnavailable,
                 fmt::format("in use by process {}: give each daemon a directory of its own", process), path_};
}

Status SpoolFolder::open() {
    auto lock = take_lock();
    if (!lock) return lock.error();
    lock_ = lock.value();
    const std::string process = fmt::format("{}\n", ::getpid());
    // only to say whose it is
    if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, process.data(), process.size(), 0) < 0) return ok();
    return ok();
}

Status SpoolFolder::check() const {
    auto lock = take_lock();
    if (lock) {
        ::close(lock.value());
        return ok();
    }
    return lock.error().code == ErrorCode::kBusy ? ok() : Status(lock.error());
}

void SpoolFolder::close() noexcept {
    if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

std::string SpoolFolder::segment(std::uint64_t number) const {
    return fmt::format("{}/{:016x}{}", path_, number, kSegmentSuffix);
}

std::vector<std::uint64_t> SpoolFolder::segments() const {
    std::vector<std::uint64_t> numbers;
    std::error_code error;
    for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error))
        if (const auto number = number_of(at->path().filename().string())) numbers.push_back(*number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

void SpoolFolder::remove(std::uint64_t number) const noexcept {
    ::unlink(segment(number).c_str());
}

bool SpoolFolder::set_aside(std::uint64_t number, std::uint64_t max_octets) const {
    const std::string file = segment(number);
    std::error_code error;
    std::uint64_t octets = fs::file_size(file, error);
    for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error))
        if (std::error_code unknown; at->path().extension() == kForeignSuffix) octets += at->file_size(unknown);
    const bool kept = octets <= max_octets && ::rename(file.c_str(), (file + std::string(kForeignSuffix)).c_str()) == 0;
    if (!kept) remove(number);
    return kept;
}

// "SEGMENT OFFSET BEFORE SKIP CHECKSUM"
std::optional<SpoolPosition> SpoolFolder::cursor() const {
    std::ifstream file(path_ + "/cursor");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    const auto checksum_at = line.rfind(' ');
    if (checksum_at == std::string::npos) return std::nullopt;
    const std::string numbers = line.substr(0, checksum_at);
    if (line.substr(checksum_at + 1) != fmt::format("{:08x}", crc32c(numbers))) return std::nullopt;
    std::istringstream in(numbers);
    SpoolPosition position;
    in >> position.segment >> position.offset >> position.before >> position.skip;
    return in && position.segment <= kLastNumber ? std::optional(position) : std::nullopt;
}

Status SpoolFolder::write_cursor(const SpoolPosition& position) const {
    const std::string numbers =
        fmt::format("{} {} {} {}", position.segment, position.offset, position.before, position.skip);
    const std::string line = fmt::format("{} {:08x}\n", numbers, crc32c(numbers));
    const std::string file = path_ + "/cursor", fresh = file + ".new";
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
    if (descriptor < 0) return failure("cannot write", errno, fresh);
    errno = ENOSPC;  // of a write that is short
    const bool written = ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                         ::fdatasync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    if (!written) return failure("cannot write", error, fresh);
    if (::rename(fresh.c_str(), file.c_str()) != 0) return failure("cannot replace", errno, file);
    return ok();
}

}  // namespace nfstreamd
