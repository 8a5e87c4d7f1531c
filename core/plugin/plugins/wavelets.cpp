// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugins/wavelets.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

namespace nfstreamd::plugins {
namespace {

constexpr double kTiny = 1e-7;  // keeps quotients and logarithms of nothing finite

struct Level {
    double energy = 0, mean = 0, deviation = 0, entropy = 0;
};

Level level_of(const std::vector<double>& coefficients) {
    Level level;
    const auto count = static_cast<double>(coefficients.size());
    double sum = 0, sizes = 0, squares = 0;
    for (const double c : coefficients) {
        level.energy += c * c;
        sizes += std::fabs(c);
        sum += c;
    }
    level.mean = sizes / count;
    for (const double c : coefficients) {
        const double part = c * c / (level.energy + kTiny), off = c - sum / count;
        level.entropy -= part * std::log(part + kTiny);
        squares += off * off;
    }
    level.deviation = std::sqrt(squares / count);
    return level;
}

}  // namespace

// How a level is shifted against the series, and the sign of details, is in none of the features.
WaveletFeatures wavelet_features(std::vector<double> series, unsigned levels) {
    const double root = std::sqrt(0.5);
    std::vector<Level> all;  // the finest first
    std::vector<double> detail(series.size()), smooth(series.size());
    for (unsigned j = 0; j < levels; ++j) {
        const std::size_t apart = std::size_t{1} << j;
        for (std::size_t i = 0; i < series.size(); ++i) {
            const double here = series[i], there = series[(i + apart) % series.size()];
            smooth[i] = (here + there) * root;
            detail[i] = (here - there) * root;
        }
        all.push_back(level_of(detail));
        std::swap(series, smooth);
    }
    all.push_back(level_of(series));
    double total = 0;
    for (const Level& level : all) total += level.energy;
    WaveletFeatures out;
    for (auto level = all.rbegin(); level != all.rend(); ++level) {
        out.energy.push_back(level->energy / (total + kTiny));
        out.mean.push_back(level->mean);
        out.deviation.push_back(level->deviation);
        out.entropy.push_back(level->entropy);
    }
    return out;
}

}  // namespace nfstreamd::plugins
