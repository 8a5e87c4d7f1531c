// SPDX-License-Identifier: Apache-2.0
// A shared object that gives a table of functions, of whichever interface: loaded,
// asked, unloaded at the end. What is in it runs as part of this process.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"
#include "core/plugin/crash_guard.hpp"

namespace nfstreamd {

class PluginObject {
public:
    // Who finds the functions of it, and of libraries that it brings along.
    enum class Symbols { kOwn, kForAll };
    // The error is the loader's.
    static Result<PluginObject> load(std::string path, Symbols symbols = Symbols::kOwn);
    ~PluginObject();
    PluginObject(PluginObject&& other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), kept_(other.kept_), path_(std::move(other.path_)) {}
    PluginObject& operator=(PluginObject&&) = delete;

    const std::string& path() const noexcept { return path_; }
    // It stays loaded to the end of the process: something of it may still run.
    void keep() noexcept { kept_ = true; }
    Error refused(std::string_view what) const;  // names the object

    // The table that its function `symbol` gives for a version of an interface. Errors: there is no such function, it
    // throws, or knows another version only. How long the table is, by its own word, is not looked at.
    template <class Table>
    Result<const Table*> table(const char* symbol, std::uint32_t version);

private:
    PluginObject(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
    Result<void*> find(const char* symbol) const;
    Error threw(const char* symbol) const;
    Error other_version(std::uint32_t version) const;
    Error made_for(std::uint32_t its, std::uint32_t version) const;

    void* handle_;
    bool kept_ = false;
    std::string path_;
};

template <class Table>
Result<const Table*> PluginObject::table(const char* symbol, std::uint32_t version) {
    const auto found = find(symbol);
    if (!found) return found.error();
    const auto entry = reinterpret_cast<const Table* (*)(std::uint32_t)>(found.value());
    const Table* table = nullptr;
    try {
        const CrashGuard guard(path_);
        table = entry(version);
    } catch (...) {
        keep();
        return threw(symbol);
    }
    if (!table) return other_version(version);
    if (table->abi != version) return made_for(table->abi, version);
    return table;
}

}  // namespace nfstreamd
