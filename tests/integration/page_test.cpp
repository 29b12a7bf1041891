// The report as a browser shows it.
#include "tests/integration/explained.hpp"
#include "tests/support/browser.hpp"
