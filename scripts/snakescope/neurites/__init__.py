"""From volumes of electron micrographs to neurites: the steps of the neurites tree."""
