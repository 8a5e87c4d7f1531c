// SPDX-License-Identifier: Apache-2.0
// The finished pieces of a file that is rotated, beside it: how they are named,
// and which of them is still there. Two ways of naming:
//   indexed  flows.0.csv, flows.1.csv: nfstream's; an old piece of that name is
//            replaced, as is the first one again after `most` of them
//   stamped  flows-20260102T030405Z.csv, by the moment at which it was finished;
//            nothing is ever replaced, and only the newest `most` are kept
// Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

class Pieces {
public:
    using Time = std::chrono::system_clock::time_point;

    // Every `word` in the name of the file, "csv", has the index before it; in a
    // name without it, the index is before the suffix. `most` 0: any number.
    static Pieces indexed(std::string path, std::string word, std::uint64_t most);
    static Pieces stamped(std::string path, std::uint64_t most);

    bool is_stamped() const noexcept { return word_.empty(); }

    // The next index follows that of the newest piece, instead of being 0.
    void go_on();

    // Gives the file its name as a piece, at once; until then it has none.
    Status put_away(Time finished);

    // Removes the oldest stamped pieces beyond `most`; after put_away().
    Status remove_old();

    std::string name_of(std::uint64_t index) const;

private:
    struct Stamp {  // of a name, as text: its order is that of time
        std::string time;
        unsigned counter = 0;
        friend auto operator<=>(const Stamp&, const Stamp&) = default;
    };

    Pieces(std::string path, std::string word, std::uint64_t most);
    Stamp stamp_at(Time finished) const;
    std::string name_of(const Stamp& stamp) const;
    int rename_to(const std::string& target, bool replace) const;  // errno, 0: done
    std::optional<std::uint64_t> index_in(std::string_view name) const;
    std::optional<Stamp> stamp_in(std::string_view name) const;
    Error failure(std::string_view what, const std::string& name, int error) const;

    std::string path_, word_;  // no word: stamped
    std::uint64_t most_;
    std::string folder_, name_;  // of path_; the folder with its slash, "" for the present one
    std::size_t suffix_;         // where in name_ ".csv" or ".csv.gz" begins
    std::uint64_t next_ = 0;
    Stamp last_;  // of put_away()
};

}  // namespace nfstreamd::exporters
