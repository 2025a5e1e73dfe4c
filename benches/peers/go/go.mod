module race

go 1.25
