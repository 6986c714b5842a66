-- Who it was that was last refused for lack of seats: nobody is kept out by their own wish.
ALTER TABLE slot ADD COLUMN wanted_by text;
