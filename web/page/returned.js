/** Inside the frame of payment.js: the bank's page has come back. Whether it went well, `payBooking` will tell. */

parent.postMessage("jetway:returned", location.origin);
