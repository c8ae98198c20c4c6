"""What lessons put on the table: protos compiled on the spot, one operation offered twice, a wire one can look into."""
