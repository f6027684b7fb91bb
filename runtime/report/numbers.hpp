// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery::report {

std::string with_spaces(int64_t n);  // 1234567 -> "1 234 567" (narrow no-break spaces), from five digits on
std::string si(double value,
               const std::string& unit = "");  // 1234567, "bit" -> "1.235 Mbit"; an exact integer below 10 000 as it is
std::string plain(double value);               // four significant digits, no markup: 3.142e-05
std::string rich(double value);                // the same as HTML: 3.142×10<sup>−5</sup>
std::string with_spread(double mean,
                        double deviation);  // HTML; two digits of the deviation decide the mean's: 0.3124 ± 0.0021

struct Moments {  // over the finite values of a list
  int64_t finite = 0;
  double mean = 0, deviation = 0, low = 0, high = 0;  // deviation: sample standard deviation (n - 1); 0 for one value
};
bool drawable(double value);  // finite and small enough that differences do not overflow
Moments moments(const std::vector<double>&);

}  // namespace orrery::report
