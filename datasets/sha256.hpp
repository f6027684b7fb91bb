// SHA-256 of files, in lower-case hexadecimal.
#pragma once

#include <string>

namespace orrery {

std::string sha256_of_file(const std::string& path);
std::string sha256_of_content(const std::string& path);  // of what is inside, where the file is gzip-compressed

}  // namespace orrery
