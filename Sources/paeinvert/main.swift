print("paeinvert")
